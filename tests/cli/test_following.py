"""Captures that are still being written, and pipes: what is there is shown at once, Ctrl-C ends in good order."""
from __future__ import annotations

import contextlib
import gzip
import os
import select
import signal
import subprocess
import sys
import threading
import time

import pytest

import tcpkit
from packets import MS, Conversation, pcap
from tcpkit.errors import CaptureError

TALK = Conversation().handshake()
for _i in range(50):
    TALK.c("PA", 1 + 100 * _i, 1, 100, dt=MS)
PCAP = pcap(TALK.frames, nano=True)
PATIENCE = 20                    # seconds


@pytest.fixture
def start():
    """Starts ``tcpkit`` beside the test; ends it whatever happens."""
    started = []

    def run(*arguments, stdin=subprocess.DEVNULL):
        process = subprocess.Popen([sys.executable, "-m", "tcpkit", *map(str, arguments)], stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def lines(process, wanted: int) -> list[bytes]:
    """Output until there are so many lines."""
    out, end = b"", time.monotonic() + PATIENCE
    while out.count(b"\n") < wanted and time.monotonic() < end:
        if select.select([process.stdout], [], [], 0.1)[0]:
            piece = os.read(process.stdout.fileno(), 1 << 16)
            if not piece:
                break
            out += piece
    return out.splitlines()


def await_opened(process, path):
    """Wait until the process has the file open."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        folder = f"/proc/{process.pid}/fd"
        with contextlib.suppress(OSError):
            if any(os.readlink(f"{folder}/{number}") == str(path) for number in os.listdir(folder)):
                return
        time.sleep(0.02)


def interrupt(process):
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    return process.returncode, out, err


def test_a_growing_file_is_shown_as_it_grows(tmp_path, start):
    path = tmp_path / "growing.pcap"
    path.write_bytes(PCAP[:1000])
    whole = tcpkit.open(path)
    n = len(whole.packets)
    process = start("fields", path, "--follow", "-e", "frame.number")
    assert len(lines(process, n + 1)) == n + 1
    with path.open("ab", buffering=0) as file:
        file.write(PCAP[1000:2500])
    more = len(tcpkit.open(path).packets) - n
    assert len(lines(process, more)) == more
    with path.open("ab", buffering=0) as file:
        file.write(PCAP[2500:-1])                                 # ends in the middle of a record: no damage here
    rest = len(TALK.frames) - 1 - n - more
    assert len(lines(process, rest)) == rest
    assert interrupt(process) == (0, b"", b"")


def test_tables_come_with_the_end(tmp_path, start):
    path = tmp_path / "growing.pcap"
    path.write_bytes(PCAP)
    process = start("flows", path, "--follow", "--format", "csv")
    await_opened(process, path)
    time.sleep(0.5)
    status, out, err = interrupt(process)
    assert (status, err) == (0, b"")
    assert out.count(b"\n") == 2


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_segments_from_a_pipe_are_shown_at_once(start, name):
    process = start("packets", name, stdin=subprocess.PIPE)
    process.stdin.write(PCAP)
    process.stdin.flush()
    assert len(lines(process, len(TALK.frames) + 1)) == len(TALK.frames) + 1
    status, out, err = interrupt(process)
    assert (status, out) == (1, b"")
    assert err == b"tcpkit: interrupted: this is what was done so far\n"


def test_stop_ends_a_followed_capture_from_another_thread(tmp_path):
    path = tmp_path / "growing.pcap"
    path.write_bytes(PCAP)
    capture = tcpkit.open(path, follow=True)
    threading.Timer(0.3, capture.stop).start()
    assert len(capture.packets) == len(TALK.frames)
    assert capture.warnings == []


def test_what_cannot_be_followed(tmp_path, cli):
    (tmp_path / "a.gz").write_bytes(gzip.compress(PCAP))
    (tmp_path / "b").write_bytes(PCAP)
    with pytest.raises(CaptureError, match="compressed capture cannot be followed"):
        tcpkit.open(tmp_path / "a.gz", follow=True)
    done = cli("packets", tmp_path, "--follow")
    assert (done.status, done.out) == (2, b"")
    assert b"only a single file can be followed" in done.err
    (tmp_path / "a.gz").unlink()
    for of_one_file in (tmp_path, tmp_path / "*"):           # there may be more, soon
        with pytest.raises(CaptureError, match="only a single file can be followed"):
            tcpkit.open(of_one_file, follow=True)
