"""A capture of random conversations, and command lines run in this process."""
from __future__ import annotations

import sys

import pytest

import tcpkit
from conversations import random_capture
from packets import pcap
from tcpkit.cli import main


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "talks.pcap"
    path.write_bytes(pcap(random_capture(3, conversations=30), nano=True))
    return str(path)


@pytest.fixture(scope="module")
def capture(path):
    return tcpkit.open(path)


@pytest.fixture
def run(capfdbinary, monkeypatch):
    """Runs a command line in this process: (status, standard output, standard error)."""
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tcpkit", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code or 0
        out, err = capfdbinary.readouterr()
        return status, out, err.decode()
    return run
