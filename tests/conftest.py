"""Puts the builders of tests/ on the path; runs the command line."""
from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

sys.path.insert(0, str(Path(__file__).parent))
# How fast a machine is, or how busy, is no matter of the tests.  TCPKIT_EXAMPLES: a wider search, where no test sets
# the limit.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow],
                          max_examples=int(os.environ.get("TCPKIT_EXAMPLES", "100")))
settings.register_profile("brief", settings.get_profile("patient"), max_examples=20)     # where each one takes long
settings.load_profile("patient")
# What a shell starts in the background ignores Ctrl-C, and so would the commands that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


class Done(NamedTuple):
    """What a command left behind."""

    status: int | None           # None: it came back without ending the program
    out: bytes
    err: bytes


@pytest.fixture
def cli(monkeypatch, capfdbinary):
    """Runs ``tcpkit`` with the given arguments, in this process."""
    from tcpkit.cli import main

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["tcpkit", *map(str, arguments)])
        capfdbinary.readouterr()
        status, handlers = None, {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            main()
        except SystemExit as end:                # kept, it would keep the capture open
            status = end.code or 0
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return Done(status, *capfdbinary.readouterr())

    return run
