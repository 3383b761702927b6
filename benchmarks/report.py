"""What was measured, as a page: tables, machine, versions."""
from __future__ import annotations

import math
import os
import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import ClassVar, NamedTuple

import tcpkit
from tcpkit.compare import Run

PROGRAMS = {"tshark": "--version", "tcptrace": "-v", "tcpdump": "--version", "gcc": "--version",
            "tcpflow": "--version", "argus": "-h", "go": "version"}
MODULES = ("numpy", "cython", "dpkt", "scapy", "nfstream")
ABOUT = """\
CPU time is user and system time of the whole process, start-up included; captures were in the page cache. tshark ran
with the protocols above TCP disabled. The ratio is a tool's CPU time for a segment over that of the first line of the
same work, so above 1 tcpkit is faster; the second ratio is that of what is left when each tool's CPU time for a
capture of a few packets, its start, is taken off. Slow tools got a smaller capture of the same kind (the column
tells), of the mix only those that keep neither packets nor connections: what the others take for a segment may depend
on how many there are, as their peak memory does. Peak memory cannot be told below that of the measuring program, some
45 MiB. Programs in Python ran with OPENBLAS_NUM_THREADS=1, as the `tcpkit` command itself does: else NumPy starts
threads for its algebra, which wait for work that does not come and take 0.1 to 0.2 s of CPU time. Where other work
shares the machine, wall times and the gain of threads say little, and CPU times go up together: compare within a
table.

What makes a stage slower is found by counting instructions, which no load disturbs: `make instructions`.\
""".splitlines()


class Section(NamedTuple):
    """A table."""

    title: str
    headings: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass
class Measured:
    """One tool at one work on one capture; without ``run`` it was not there.

    ``start``: CPU seconds that it takes for hardly any packet; ``ours``: tcpkit at the same work.
    """

    HEADINGS: ClassVar = ("work", "tool", "segments", "M segments/CPU s", "CPU ns/segment", "CPU time, tcpkit = 1",
                          "start, CPU s", "without start, tcpkit = 1", "wall s", "peak MiB")
    work: str
    tool: str
    segments: int
    run: Run | None
    start: float
    ours: Measured | None

    @property
    def each(self) -> float:
        """CPU seconds for a segment."""
        return self.run.cpu_seconds / self.segments if self.run else math.nan

    @property
    def each_started(self) -> float:
        """The same, once the program runs; not a number if starting takes nearly all."""
        each = self.each - self.start / self.segments
        return each if each > self.each / 5 else math.nan

    @property
    def ratio(self) -> float:
        return self.each / (self.ours or self).each

    @property
    def ratio_started(self) -> str:
        ratio = self.each_started / (self.ours or self).each_started
        return "" if math.isnan(ratio) else f"{ratio:.3g}"

    def cells(self) -> tuple[str, ...]:
        empty = ("",) * (len(self.HEADINGS) - 4)
        if self.run is None:
            return (self.work, self.tool, "", "not installed", *empty)
        # tcpkit's 1: it had to give up connections to keep its memory limit.
        if self.run.status not in (0, 1 if self.tool.startswith("tcpkit ") else 0):
            return (self.work, self.tool, "", f"failed: status {self.run.status}", *empty)
        return (self.work, self.tool, f"{self.segments:,}", f"{1e-6 / self.each:.3g}", f"{self.each * 1e9:,.0f}",
                f"{self.ratio:.3g}", f"{self.start:.2f}", self.ratio_started, f"{self.run.seconds:.2f}",
                f"{self.run.peak_memory / 2**20:,.0f}")


def machine() -> str:
    described = Path("/proc/cpuinfo").read_text() if os.path.exists("/proc/cpuinfo") else ""
    cpu = re.search(r"model name\s*: (.*)", described)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (f"{cpu[1] if cpu else platform.processor()}, {os.cpu_count()} logical processors, {memory:.0f} GiB, "
            f"{platform.system()} {platform.release()}, Python {platform.python_version()}")


def versions() -> list[str]:
    """Of tcpkit, of the programs and of the modules that are there."""
    found = [f"tcpkit {tcpkit.__version__}"]
    for program, option in PROGRAMS.items():
        if shutil.which(program):
            done = subprocess.run([program, option], capture_output=True, text=True, check=False)
            lines = [line for line in (done.stdout + done.stderr).splitlines() if re.search(r"\d\.\d", line)]
            found.append(lines[0].strip().removeprefix("Version: ") if lines else program)
    for module in MODULES:
        try:
            found.append(f"{module} {version(module)}")
        except PackageNotFoundError:
            continue
    return found


def write_report(path: Path, sections: list[Section], command: str) -> None:
    lines = ["# Performance", "", "Generated traffic, all tools one after the other in one run of", "",
             f"    {command}", "", f"on {machine()}, with a load of {os.getloadavg()[2]:.1f} from all that ran on it.",
             "Versions: " + "; ".join(versions()) + ".", "",
             *ABOUT]
    for section in sorted(sections, key=lambda section: not section.title.startswith("What")):
        lines += ["", f"## {section.title}", "", "| " + " | ".join(section.headings) + " |",
                  "|" + "---|" * len(section.headings)]
        lines += ["| " + " | ".join(row) + " |" for row in section.rows]
    path.write_text("\n".join(lines) + "\n")
