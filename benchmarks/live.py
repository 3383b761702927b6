"""What rate of frames is captured without a drop: ``make bench-live``, as root.

``python -m benchmarks.live [--seconds 2] [--profiles large small] [--tools ...] [--buffers 1 8 64]``

A sender on one core puts generated traffic on one end of a veth pair, in a network namespace of its own; a tool on
another core captures at the other end, files in memory.  Three figures for each tool:

- the highest rate at which every frame that was sent was captured, which often is all that the sender can send;
- how fast it empties the kernel's buffer, filled while the tool stood still: the rate that it can bear for long;
- its CPU time for a frame at a rate that all keep up with.

Both run before everything else on their core (SCHED_FIFO), so that other work disturbs little.
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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.report import machine
from benchmarks.traffic import compiled, generate

HERE = Path(__file__).parent
TRAFFIC = {"large": "bulk", "small": "small"}
CAPTURE_BYTES = 60_000_000
BUFFER_MIB, LARGE_BUFFER_MIB = 64, 256
SENDER_CORE, TOOL_CORE = 1, 0
FOREGROUND = ("chrt", "-f", "1")
COMMON_RATE = 100_000
FILL_RATE = 150_000
PRECISION = 1.05
REACHED = 0.98                     # of the rate asked for: if the sender reaches less, it is at its limit
TICK, IDLE_TICKS, IDLE_CPU = 0.005, 50, 0.001   # seconds; a tool that takes so little for so long is done
TCPKIT = (sys.executable, "-m", "tcpkit", "capture", "-i", "{interface}", "-B", "{mib}")
FLOWS = ("--flows", "--format", "csv")
TOOLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "tcpkit capture -w": ((*TCPKIT, "-w", "{file}"),),
    "tcpkit capture -w --flows": ((*TCPKIT, "-w", "{file}", *FLOWS),),
    "all analysed, none listed": ((*TCPKIT, "-w", "{file}", *FLOWS, "-Y", "tcp.stream == 4000000000"),),
    "two tcpkit capture, --fanout": ((*TCPKIT, "-w", "{file}", *FLOWS, "--fanout", "7"),) * 2,
    "tcpdump -w": (("tcpdump", "-i", "{interface}", "-B", "{kib}", "-n", "-Z", "root", "-w", "{file}"),),
    "pcapy-ng next_batch": ((sys.executable, str(HERE / "live_next_batch.py"), "{interface}", "{bytes}"),),
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

    def command(self, *words: str | int) -> list[str]:
        """The words run before all else, on the cores named first."""
        cores = ",".join(str(word) for word in words if isinstance(word, int))
        command = [word for word in words if isinstance(word, str)]
        return ["ip", "netns", "exec", self.namespace, "taskset", "-c", cores, *FOREGROUND, *command]

    def run(self, *words: str) -> str:
        return subprocess.run(["ip", "netns", "exec", self.namespace, *words], check=True, capture_output=True,
                              text=True).stdout

    def wait_for_listeners(self, count: int) -> None:
        """Until so many packet sockets are bound."""
        for _ in range(200):
            if len(self.run("cat", "/proc/net/packet").splitlines()) > count:
                time.sleep(0.5)
                return
            time.sleep(0.1)
        raise RuntimeError("the tool does not listen")


class Tool:
    """A running tool: one process, or some that share the traffic."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self.processes = processes
        self.captured = 0

    def signal(self, number: int) -> None:
        for process in self.processes:
            process.send_signal(number)

    def cpu_seconds(self) -> float:
        """Time on a core so far, of the main threads."""
        return sum(int(Path(f"/proc/{process.pid}/schedstat").read_text().split()[0])
                   for process in self.processes) / 1e9

    def finish(self) -> None:
        """Interrupt it; what it tells of itself is the number of captured frames."""
        self.signal(signal.SIGINT)
        for process in self.processes:
            _, text = process.communicate(timeout=60)
            found = re.search(r"([\d,]+) (?:frame|packet)s? captured", text)
            if not found:
                raise RuntimeError(f"{process.args!r} says: {text}")
            self.captured += int(found[1].replace(",", ""))


@contextmanager
def listening(wire: Wire, name: str, folder: Path, mib: int, *cores: int) -> Iterator[Tool]:
    """Run a tool, and afterwards have it tell what it captured."""
    places = {"interface": wire.far, "mib": mib, "kib": mib << 10, "bytes": mib << 20}
    with ExitStack() as stack:
        tool = Tool([stack.enter_context(subprocess.Popen(
            wire.command(*cores, *(word.format(file=folder / f"{number}.pcap", **places) for word in words)), text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)) for number, words in enumerate(TOOLS[name])])
        wire.wait_for_listeners(len(tool.processes))
        yield tool
        tool.finish()


class Bench:
    """Trials of all tools with one capture on one wire."""

    def __init__(self, wire: Wire, folder: Path, capture: Path, seconds: float) -> None:
        self.wire = wire
        self.folder = folder
        self.capture = capture
        self.seconds = seconds
        self.mean = mean_length(capture)
        self.sender = compiled(HERE / "live_sender.c")
        self.most = max(sent / passed for sent, passed in (self.send(1e8, seconds) for _ in range(2)))

    def send(self, rate: float, seconds: float) -> tuple[int, float]:
        """Frames sent, and in how many seconds."""
        words = str(self.sender), self.wire.near, str(self.capture), f"{rate:.0f}", str(seconds)
        done = subprocess.run(self.wire.command(SENDER_CORE, *words), check=True, capture_output=True, text=True)
        sent, passed = done.stdout.split()
        return int(sent), float(passed)

    def trial(self, name: str, rate: float, mib: int) -> Trial:
        with listening(self.wire, name, self.folder, mib, TOOL_CORE) as tool:
            before = tool.cpu_seconds()
            sent, seconds = self.send(rate, self.seconds)
            time.sleep(0.5)
            cpu = tool.cpu_seconds() - before
        return Trial(sent, sent / seconds, tool.captured, cpu)

    def highest(self, name: str, mib: int) -> str:
        """The highest rate without a drop; with a plus sign if the sender could not send more."""
        low, high = 0.0, self.most * PRECISION
        while low == 0 or high / low > PRECISION:
            asked = (low * high) ** 0.5 if low else high
            done = self.trial(name, asked, mib)
            print(f"  {name}, {mib} MiB: {done.rate:,.0f}/s: {done.sent:,} sent, {done.captured:,} captured",
                  file=sys.stderr)
            if not done.is_whole:
                high = asked
                low = low or min(asked / 8, COMMON_RATE)
            elif done.rate < REACHED * asked:
                return f"{done.rate:,.0f}+"
            else:
                low = done.rate
        return f"{low:,.0f}"

    def emptied(self, name: str) -> float:
        """Frames a second out of a full buffer, the tool on both cores if it wants."""
        n = int(LARGE_BUFFER_MIB * 0.6 * 2**20 / (self.mean + 120))
        with listening(self.wire, name, self.folder, LARGE_BUFFER_MIB, TOOL_CORE, SENDER_CORE) as tool:
            tool.signal(signal.SIGSTOP)
            sent, _ = self.send(FILL_RATE, n / FILL_RATE)
            start = end = time.perf_counter()
            cpu, idle = tool.cpu_seconds(), 0
            tool.signal(signal.SIGCONT)
            while idle < IDLE_TICKS:
                time.sleep(TICK)
                before, cpu = cpu, tool.cpu_seconds()
                if cpu - before < IDLE_CPU:
                    idle += 1
                else:
                    idle, end = 0, time.perf_counter()
        if end == start or tool.captured < 0.99 * sent:
            raise RuntimeError(f"{name} was not stopped, or not done: {sent} sent, {tool.captured} captured")
        return tool.captured / (end - start)


def measure(bench: Bench, profile: str, tools: list[str], buffers: list[int], table: Table) -> None:
    print(f"{profile}: {bench.mean:.0f} bytes a frame, the sender alone reaches {bench.most:,.0f}/s", file=sys.stderr)
    for name in tools:
        highest = [bench.highest(name, mib) for mib in buffers]
        emptied = median(bench.emptied(name) for _ in range(3))
        paced = min(trial.cpu / trial.sent for trial in (bench.trial(name, COMMON_RATE, BUFFER_MIB) for _ in range(3)))
        table.add_row(f"{profile}, {bench.mean:.0f} bytes", name, *highest, f"{emptied:,.0f}", f"{paced * 1e6:.2f}")


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
    parser.add_argument("--seconds", type=float, default=2, help="of a trial")
    parser.add_argument("--profiles", nargs="+", choices=TRAFFIC, default=list(TRAFFIC))
    parser.add_argument("--buffers", nargs="+", type=int, default=[BUFFER_MIB], help="the kernel's, in MiB")
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=[name for name, words in TOOLS.items()
                                                                      if shutil.which(words[0][0])])
    args = parser.parse_args()
    if os.geteuid() != 0 or (os.cpu_count() or 1) < 2:
        sys.exit("the benchmark makes a network namespace, and needs root and two cores")
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(2))   # above the tools, to see when they are done
    table = Table("frames", "tool", *(f"no drop with {mib} MiB" for mib in args.buffers), "out of a full buffer",
                  "CPU µs per frame", box=None)
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as folder, Wire() as wire:
        for profile in args.profiles:
            capture = generate(TRAFFIC[profile], Path(tempfile.gettempdir(), f"tcpkit-live-{profile}.pcap"),
                               CAPTURE_BYTES)
            measure(Bench(wire, Path(folder), capture, args.seconds), profile, args.tools, args.buffers, table)
    print(machine())
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
