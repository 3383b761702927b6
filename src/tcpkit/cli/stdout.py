"""Standard output: what it does not take is told once, by us, and not tried again by the interpreter at its end."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_OUTPUT = "standard output"


def need_output() -> None:
    """See that there are outputs to write to: the caller may have closed them."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115  (it stays open)
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115


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


@contextmanager
def named_errors(name: object) -> Iterator[None]:
    """Errors of the system that name no file are about this one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(name)
        raise
