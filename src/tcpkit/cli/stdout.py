"""Standard output: what it does not take is told once, by us, and not tried again by the interpreter at its end."""
from __future__ import annotations

import io
import os
import sys

import typer

from tcpkit.output_file import STANDARD_OUTPUT, named_errors


def need_output() -> None:
    """See that there are outputs to write to, whatever the letters: the caller may have closed them."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  (it stays open)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")     # what its encoding does not have; standard error does so itself


def need_no_terminal(what: str, option: str) -> None:
    """See that standard output is a file or a pipe."""
    if sys.stdout.isatty():
        raise typer.BadParameter(f"{what} could steer the terminal: write them to a file, or into a pipe",
                                 param_hint=option)


def takes_colour() -> bool:
    """Whether standard output is a terminal that knows colours, whose user has not declined them (no-color.org)."""
    return sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown") and not os.environ.get("NO_COLOR")


def flush_output() -> None:
    """OSError if it cannot be written."""
    with named_errors(STANDARD_OUTPUT):
        try:
            sys.stdout.flush()
        except OSError:
            discard_output()
            raise


def discard_output() -> None:
    """Let all that is or will be written go nowhere."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
