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
from contextlib import suppress

TYPE_CHECKING = False            # as in tcpkit: the sooner main() is reached, the sooner Ctrl-C is told
if TYPE_CHECKING:
    from typing import NoReturn

    from tcpkit.errors import FilterError

MODULES = ("info", "packets", "fields", "flows", "handshakes", "explain", "plot", "report", "threats",
           "retransmissions", "filter", "compare", "follow", "capture", "states", "export", "overlaps", "http")
HOME = {"conversations": "flows", "interfaces": "capture"}     # modules of commands that are not called as their module
FEW = 100_000                    # objects, for all that starting takes: looking for cycles among them found none
INTERRUPTED = 130                # typer's status for Ctrl-C
SIGINT, SIGTERM = 2, 15          # POSIX's numbers: the module signal takes longer to import than all of the above
asked_by: list[int] = []         # the signals that interrupt() has raised


def needed(asked: str) -> tuple[str, ...]:
    """The modules for the first word of a command line: all for the help, and to tell what a wrong one was to be."""
    if asked == "--version":
        return ()
    home = HOME.get(asked, asked)
    return (home,) if home in MODULES else MODULES


def main() -> None:
    """Run the command line: status 0 done, 1 done as far as it went, 2 not done, 143 ended by SIGTERM."""
    try:
        import signal

        for number, unchanged in ((SIGINT, signal.default_int_handler), (SIGTERM, signal.SIG_DFL)):
            if signal.getsignal(number) is unchanged:      # not ignored by who called
                signal.signal(number, end_at_once)
        status = command_line()
    except KeyboardInterrupt:
        end_at_once(*asked_by[-1:])
    for number in (SIGINT, SIGTERM):                       # all is done, and would end as the system has it
        signal.signal(number, signal.SIG_IGN)
    gc.freeze()                                            # or the interpreter looks for cycles once more as it ends
    sys.exit(status)


def command_line() -> int:
    """The status, when all that was written has gone to where it belongs."""
    gc.set_threshold(FEW)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")    # NumPy's algebra is not used; its threads cost 0.1 s to start
    for module in needed("".join(sys.argv[1:2])):
        importlib.import_module(f"tcpkit.cli.{module}")
    from tcpkit.cli.stdout import flush_output, need_output

    need_output()
    status = run()
    try:
        flush_output()
    except BrokenPipeError:
        status = status or 1
    except OSError as error:
        status = status or tell(error)
    return status


def run() -> int:
    """The command's status."""
    from tcpkit.cli.app import app
    from tcpkit.errors import CaptureError, FieldError, FilterError, MissingLibraryError

    try:
        app(prog_name="tcpkit")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            raise KeyboardInterrupt from None
        return int(end.code or 0)
    except BrokenPipeError:                                # who reads has seen enough
        return 1
    except MemoryError:
        print("tcpkit: there is not enough memory for this", file=sys.stderr)
        return 2
    except (CaptureError, FieldError, FilterError, MissingLibraryError, OSError) as error:
        return tell(error)
    return 0


def end_at_once(number: int = SIGINT, *_: object) -> NoReturn:
    """Ctrl-C or SIGTERM where there is nothing to put away.

    To raise KeyboardInterrupt would not do: amid an import some libraries lose it, others cannot be ended after it.
    """
    with suppress(OSError):
        os.write(2, b"tcpkit: interrupted\n")
    os._exit(status_after(number))


def interrupt(number: int, *_: object) -> NoReturn:
    """Ctrl-C or SIGTERM where there is something to put away: KeyboardInterrupt, which main() tells."""
    asked_by.append(number)
    raise KeyboardInterrupt


def status_after(number: int) -> int:
    """Of what a signal ended: as far as it went for Ctrl-C, else the status that a shell makes of the signal."""
    return 1 if number == SIGINT else 128 + number


def tell(error: Exception) -> int:
    """Why nothing came of it."""
    from tcpkit.errors import FilterError
    from tcpkit.text import cause_of, one_line, printable

    if isinstance(error, FilterError):
        print(f"tcpkit: {printable(str(error))}{other_kind(error)}", file=sys.stderr)      # on several lines
    else:
        print(f"tcpkit: {one_line(cause_of(error))}", file=sys.stderr)
    return 2


def other_kind(error: FilterError) -> str:
    """What the filter would be right for, if it is a display filter given as a capture filter, or the reverse."""
    from tcpkit.capture_filter import COMMON_LINK_TYPES, is_capture_filter, mistake_in
    from tcpkit.errors import FilterError
    from tcpkit.row_filter import RowFilter

    with suppress(FilterError):
        if is_capture_filter(error.text):
            return "\n  it is a capture filter, for -f"
        RowFilter(error.text)
        if error.cause == mistake_in(error.text, COMMON_LINK_TYPES[0]):
            return "\n  it is a display filter, for -Y"
    return ""
