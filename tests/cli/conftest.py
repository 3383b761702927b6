"""A capture of random conversations, and command lines run in this process."""
from __future__ import annotations

import pytest

import tcpkit
from conversations import random_capture
from packets import pcap


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("cli") / "talks.pcap"
    path.write_bytes(pcap(random_capture(3, conversations=30), nano=True))
    return str(path)


@pytest.fixture(scope="module")
def capture(path):
    return tcpkit.open(path)


@pytest.fixture
def run(cli):
    """Runs a command line in this process: (status, standard output, standard error as text)."""
    def run(*arguments):
        done = cli(*arguments)
        return done.status, done.out, done.err.decode()
    return run
