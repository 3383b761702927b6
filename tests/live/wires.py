"""Where live captures are tested: loopback, and veth pairs in namespaces made for a test."""
from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tcpkit.interface_reader import interface_names

may_capture = pytest.mark.skipif("lo" not in interface_names() or os.geteuid() != 0,
                                 reason="LIVE CAPTURE IS NOT TESTED: it needs root and the interface lo")


SERIAL = itertools.count()


def has_namespaces() -> bool:
    name = f"tcpkit-probe-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False
    if made:
        subprocess.run(["ip", "netns", "del", name], check=False)
    return made and os.geteuid() == 0


may_make_wires = pytest.mark.skipif(not has_namespaces(), reason="LIVE CAPTURE ON A WIRE IS NOT TESTED: it needs root, "
                                                                 "network namespaces and the command ip")


class Wire:
    """A namespace with the ends of a veth pair, ``near`` and ``far``, which nothing else uses."""

    def __init__(self, name: str, far: str = "far") -> None:
        self.name = name
        self.far = far

    def run(self, *words: str, **options) -> subprocess.CompletedProcess:
        return subprocess.run(["ip", "netns", "exec", self.name, *words], check=True, **options)

    def tcpkit(self, *words: str, **options) -> subprocess.Popen:
        return subprocess.Popen(["ip", "netns", "exec", self.name, sys.executable, "-m", "tcpkit", *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    @staticmethod
    def wait_for_capture(*processes: subprocess.Popen) -> None:
        """Until each has mapped the kernel's ring: frames that come to its socket before that are lost."""
        for _ in range(600):
            if all("socket:[" in Path(f"/proc/{process.pid}/maps").read_text() for process in processes):
                return
            time.sleep(0.05)
        raise AssertionError("nobody captures")

    def send(self, frames: list[bytes], end: str = "near") -> None:
        """Put frames on the near end, or on the namespace's loopback."""
        program = ("import socket, sys; out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)\n"
                   "out.bind((sys.argv[1], 0))\n"
                   "for line in sys.stdin: out.send(bytes.fromhex(line))")
        self.run(sys.executable, "-c", program, end, input="\n".join(frame.hex() for frame in frames), text=True)


@contextmanager
def wire(far: str = "far") -> Iterator[Wire]:
    made = Wire(f"tcpkit-test-{os.getpid()}-{next(SERIAL)}", far)
    subprocess.run(["ip", "netns", "add", made.name], check=True)
    try:
        made.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        made.run("ip", "link", "add", "name", "near", "type", "veth", "peer", "name", far)
        for end in ("near", far, "lo"):
            made.run("ip", "link", "set", end, "up")
        yield made
    finally:
        subprocess.run(["ip", "netns", "del", made.name], check=False)


def interrupt(process: subprocess.Popen) -> tuple[str, str]:
    """Ctrl-C; what it said."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=60)
