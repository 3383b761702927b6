"""The ``tcpkit`` command.

To add a command: write a module beside this one that decorates a function with ``@app.command()`` (see
flows.py), and name the module in MODULES; in HOME too if the command is not called as the module.  A command
only takes its options, calls the library inside ``with reading(...)``, and hands the result to output.py.  It
imports the library inside itself, so that every command starts fast.
"""
from __future__ import annotations

import gc
import importlib
import os
import sys

from tcpkit.cli.app import app
from tcpkit.cli.stdout import flush_output, need_output
from tcpkit.errors import CaptureError, FieldError, FilterError, MissingLibraryError
from tcpkit.text import cause_of, one_line, printable

MODULES = ("info", "packets", "fields", "flows", "handshakes", "explain", "plot", "report", "threats",
           "retransmissions", "filter", "compare", "follow", "capture", "states", "export", "overlaps", "http")
HOME = {"conversations": "flows", "interfaces": "capture"}     # modules of commands that are not called as their module
FEW = 100_000                    # objects, for all that starting takes: looking for cycles among them found none


def needed(asked: str) -> tuple[str, ...]:
    """The modules for the first word of a command line: all for the help, and to tell what a wrong one was to be."""
    if asked == "--version":
        return ()
    home = HOME.get(asked, asked)
    return (home,) if home in MODULES else MODULES


def main() -> None:
    """Run the command line: status 0 done, 1 done as far as it went, 2 not done."""
    gc.set_threshold(FEW)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")    # NumPy's algebra is not used; its threads cost 0.1 s to start
    for module in needed("".join(sys.argv[1:2])):
        importlib.import_module(f"tcpkit.cli.{module}")
    need_output()
    status = run()
    try:
        flush_output()
    except BrokenPipeError:
        status = status or 1
    except OSError as error:
        status = status or tell(error)
    gc.freeze()                                           # or the interpreter looks for cycles once more as it ends
    sys.exit(status)


def run() -> int:
    """The command's status."""
    try:
        app(prog_name="tcpkit")
    except SystemExit as end:
        return int(end.code or 0)
    except BrokenPipeError:                                # who reads has seen enough
        return 1
    except (CaptureError, FieldError, FilterError, MissingLibraryError, OSError) as error:
        return tell(error)
    return 0


def tell(error: Exception) -> int:
    """Why nothing came of it."""
    text = printable if isinstance(error, FilterError) else one_line       # only filters are told on several lines
    print(f"tcpkit: {text(cause_of(error))}", file=sys.stderr)
    return 2
