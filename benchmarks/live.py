"""The highest rate of frames that is captured without a drop: ``make bench-live``, as root.

``python -m benchmarks.live [--seconds 5] [--quick] [--profiles large small] [--write FILE]``

A sender on one core puts generated traffic on one end of a veth pair, in a network namespace of its own; a tool on
another core captures at the other end, with a kernel buffer of 64 MiB, files in memory.  A rate counts if every frame
that was sent was captured.  Beside it: the CPU time the tool takes for a frame, at a rate that all keep up with.
"""
from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.report import machine
from benchmarks.traffic import compiled, generate

HERE = Path(__file__).parent
TRAFFIC = {"large": "bulk", "small": "small"}
CAPTURE_BYTES = 60_000_000
BUFFER_MIB = 64
SENDER_CORE, TOOL_CORE = 1, 0
FOREGROUND = ("nice", "-n", "-20")
COMMON_RATE = 50_000
PRECISION = 1.05
PYTHON = ("-m", "tcpkit", "capture", "-B", str(BUFFER_MIB))
TOOLS = {
    "tcpkit capture -w": (sys.executable, *PYTHON, "-i", "{interface}", "-w", "{file}"),
    "tcpkit capture --flows": (sys.executable, *PYTHON, "-i", "{interface}", "--flows", "--format", "csv"),
    "tcpdump -w": ("tcpdump", "-i", "{interface}", "-B", str(BUFFER_MIB * 1024), "-n", "-Z", "root", "-w", "{file}"),
    "pcapy-ng next_batch": (sys.executable, str(HERE / "live_next_batch.py"), "{interface}", str(BUFFER_MIB << 20)),
}


class Trial(NamedTuple):
    """What one tool made of one rate."""

    sent: int
    rate: float                    # that the sender reached
    captured: int
    cpu: float                     # seconds of the tool

    @property
    def is_whole(self) -> bool:
        return self.captured >= self.sent


class Wire:
    """A veth pair in a namespace of its own, where nothing else sends."""

    near, far = "wire0", "wire1"

    def __init__(self) -> None:
        self.namespace = f"tcpkit-bench-{os.getpid()}"

    def __enter__(self) -> Wire:
        subprocess.run(["ip", "netns", "add", self.namespace], check=True)
        self.run("sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.run("ip", "link", "add", "name", self.near, "type", "veth", "peer", "name", self.far)
        for end in (self.near, self.far):
            self.run("ip", "link", "set", end, "up")
        return self

    def __exit__(self, *error: object) -> None:
        subprocess.run(["ip", "netns", "del", self.namespace], check=False)

    def command(self, core: int, *words: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, "taskset", "-c", str(core), *FOREGROUND, *words]

    def run(self, *words: str) -> str:
        return subprocess.run(["ip", "netns", "exec", self.namespace, *words], check=True, capture_output=True,
                              text=True).stdout

    def wait_for_listener(self) -> None:
        """Until a packet socket is bound."""
        for _ in range(200):
            if len(self.run("cat", "/proc/net/packet").splitlines()) > 1:
                time.sleep(0.5)
                return
            time.sleep(0.1)
        raise RuntimeError("the tool does not listen")


@contextmanager
def listening(wire: Wire, words: tuple[str, ...], folder: Path) -> Iterator[dict[str, float]]:
    """Run a tool; what it tells of itself afterwards: captured frames and CPU seconds."""
    told: dict[str, float] = {}
    command = [word.format(interface=wire.far, file=folder / "live.pcap") for word in words]
    with (folder / "report.txt").open("w+") as report:
        tool = subprocess.Popen(wire.command(TOOL_CORE, *command), stdout=subprocess.DEVNULL, stderr=report)
        wire.wait_for_listener()
        started = cpu_seconds(tool.pid)
        yield told
        time.sleep(0.5)
        told["cpu"] = cpu_seconds(tool.pid) - started
        tool.send_signal(signal.SIGINT)
        tool.wait(timeout=60)
        report.seek(0)
        text = report.read()
    found = re.search(r"(\d+) (?:frames|packets) captured", text)
    if not found:
        raise RuntimeError(f"{words[0]} says: {text}")
    told["captured"] = int(found[1])


def cpu_seconds(process: int) -> float:
    """Time on a core so far, of its first thread."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


class Bench:
    """Trials of all tools on one wire."""

    def __init__(self, wire: Wire, folder: Path, seconds: float) -> None:
        self.wire = wire
        self.folder = folder
        self.seconds = seconds
        self.sender = compiled(HERE / "live_sender.c")

    def send(self, capture: Path, rate: float) -> tuple[int, float]:
        """Frames sent, and in how many seconds."""
        words = str(self.sender), self.wire.near, str(capture), f"{rate:.0f}", str(self.seconds)
        done = subprocess.run(self.wire.command(SENDER_CORE, *words), check=True, capture_output=True, text=True)
        sent, seconds = done.stdout.split()
        return int(sent), float(seconds)

    def trial(self, tool: str, capture: Path, rate: float) -> Trial:
        with listening(self.wire, TOOLS[tool], self.folder) as told:
            sent, seconds = self.send(capture, rate)
        return Trial(sent, sent / seconds, int(told["captured"]), told["cpu"])

    def highest(self, tool: str, capture: Path, most: float) -> tuple[float, bool]:
        """The highest rate without a drop; and whether that is the sender's own limit."""
        low, high = 0.0, most * PRECISION
        at_once = self.trial(tool, capture, most)
        if at_once.is_whole:
            return at_once.rate, True
        while low == 0 or high / low > PRECISION:
            rate = (low * high) ** 0.5 if low else high / 2
            done = self.trial(tool, capture, rate)
            print(f"  {tool}: {done.rate:,.0f}/s: {done.sent:,} sent, {done.captured:,} captured", file=sys.stderr)
            if done.is_whole:
                low = done.rate
            else:
                high = min(rate, high)
        return low, False


def measure(bench: Bench, profiles: list[str], tools: list[str]) -> Table:
    table = Table("frames", "tool", "frames/s without a drop", "MB/s", "CPU µs per frame", box=None)
    for profile in profiles:
        capture = generate(TRAFFIC[profile], Path(tempfile.gettempdir(), f"tcpkit-live-{profile}.pcap"), CAPTURE_BYTES)
        most = max(sent / seconds for sent, seconds in (bench.send(capture, 1e8) for _ in range(3)))
        mean = mean_length(capture)
        print(f"{profile}: {mean:.0f} bytes a frame, the sender alone reaches {most:,.0f}/s", file=sys.stderr)
        for tool in tools:
            rate, is_limit = bench.highest(tool, capture, most)
            paced = bench.trial(tool, capture, COMMON_RATE)
            told = f"{rate:,.0f}{' (all that is sent)' if is_limit else ''}"
            table.add_row(f"{profile}, {mean:.0f} bytes", tool, told, f"{rate * mean / 1e6:,.0f}",
                          f"{paced.cpu / paced.sent * 1e6:.2f}")
    return table


def mean_length(capture: Path) -> float:
    """Bytes of a frame on the wire of the benchmark."""
    data = capture.read_bytes()
    at, n = 24, 0
    while at < len(data):
        at += 16 + int.from_bytes(data[at + 8:at + 12], "little")
        n += 1
    return (len(data) - 24) / n - 16


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--quick", action="store_true", help="two seconds a trial")
    parser.add_argument("--profiles", nargs="+", choices=TRAFFIC, default=list(TRAFFIC))
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=[tool for tool in TOOLS
                                                                      if shutil.which(TOOLS[tool][0])])
    args = parser.parse_args()
    if os.geteuid() != 0 or (os.cpu_count() or 1) < 2:
        sys.exit("the benchmark makes a network namespace, and needs root and two cores")
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder, Wire() as wire:
        table = measure(Bench(wire, Path(folder), 2 if args.quick else args.seconds), args.profiles, args.tools)
    print(machine())
    Console(width=120).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
