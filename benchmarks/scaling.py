"""How the cost grows with the capture, its flows and the threads, and how far what was asked for is reached."""
from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.report import Measured, Section
from benchmarks.traffic import generate
from tcpkit.compare import Run, run

PASSES = """import threading, time, tcpkit
def go(threads):
    for batch in tcpkit.scan({path!r}, threads=threads, stages=[{stage!r}]): pass
def at_once():
    both = [threading.Thread(target=go, args=[1]) for _ in range(2)]
    for each in both: each.start()
    for each in both: each.join()
works = (lambda: go(1)), (lambda: go(2)), at_once
best = [1e9] * len(works)
for _ in range({rounds}):
    for i, work in enumerate(works):
        start = time.perf_counter()
        work()
        best[i] = min(best[i], time.perf_counter() - start)
print(*best)"""
FLOWS = """import tcpkit
rows = 0
for piece in tcpkit.open({!r}, threads=1, stages={!r}).flow_pieces():
    rows += len(piece)
print(rows)"""
SEGMENTS = "import tcpkit\nprint(sum(map(len, tcpkit.scan({!r}, stages=['decode']))))"
SIZES = (0.1, 0.25, 0.5, 1)                     # of the whole
SAME_FLOWS_SIZES = (0.1, 0.5, 2)                # likewise, of "bulk", which has 200 flows at any size
FLOWS_BYTES = (8_600_000, 86_000_000, 860_000_000)     # of "small": the more, the more flows
ALL_STAGES = ("flows", "analysis", "lifecycle")        # of `tcpkit flows`
BASE, EACH = 64, 512                            # asked for: MiB, and bytes for each flow
THREADED = {"flows": "flows", "all tshark fields": "analysis", "with the verdicts": "verdicts"}
ROUNDS = 3


def python(text: str) -> tuple[Run, str]:
    """A program's cost, and what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch, "output")
        taken = run([sys.executable, "-c", text], output, {})
        return taken, output.read_text()


def flows_cost(capture: Path, stages: Sequence[str] = ("flows",)) -> tuple[str, ...]:
    """Segments, flows, CPU ns for each segment, peak memory of a pass that tells flows apart."""
    segments = int(python(SEGMENTS.format(str(capture)))[1])
    taken, told = min((python(FLOWS.format(str(capture), list(stages))) for _ in range(ROUNDS)),
                      key=lambda each: each[0].cpu_seconds)
    flows, peak = int(told), taken.peak_memory / 2**20
    return (f"{capture.stat().st_size / 1e6:,.0f}", f"{segments:,}", f"{flows:,}",
            f"{taken.cpu_seconds / segments * 1e9:,.0f}", f"{peak:,.0f}")


def bytes_each(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """What each flow takes that a row has more than the row before."""
    known = [(int(row[2].replace(",", "")), float(row[4].replace(",", ""))) for row in rows]
    more = [(peak - least) * 2**20 / (flows - fewer) for (fewer, least), (flows, peak) in pairwise(known)]
    return [(*row, each) for row, each in zip(rows, ["", *(f"{each:,.0f}" for each in more)], strict=False)]


def start_up(*arguments: str) -> str:
    """Seconds of wall time that a run of Python with these arguments takes."""
    with tempfile.TemporaryDirectory() as scratch:
        return f"{min(run([sys.executable, *arguments], Path(scratch, 'output'), {}).seconds for _ in range(9)):.2f} s"


def speedups(capture: Path) -> Iterator[tuple[str, ...]]:
    """Wall time of a pass with one and with two threads, the best of some rounds taken in turn in one program.

    Two passes at once, each with a thread of its own, tell what two threads can be of use on this machine at all.
    """
    for name, stage in THREADED.items():
        script = PASSES.format(path=str(capture), stage=stage, rounds=5 * ROUNDS)
        one, two, both = map(float, python(script)[1].split())
        yield name, f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}", f"{2 * one / both:.2f}"


def scaling_sections(directory: Path, most: int) -> Iterator[Section]:
    """``most``: bytes of the largest capture."""
    def capture(profile: str, bytes_: int) -> Path:
        return generate(profile, directory / f"tcpkit-{profile}-{bytes_}.pcap", bytes_)

    costs = ("MB", "segments", "flows", "CPU ns/segment", "peak MiB")
    yield Section("Threads: seconds of wall time of a pass, mix",
                  ("work", "1 thread", "2 threads", "faster by", "two passes at once: faster by"),
                  list(speedups(capture("mix", most))))
    yield Section("Size of the capture: tcpkit flows without analysis, mix", costs,
                  [flows_cost(capture("mix", int(most * part))) for part in SIZES])
    yield Section("Number of flows: the same, small", (*costs, "B/flow more"),
                  bytes_each([flows_cost(capture("small", bytes_)) for bytes_ in FLOWS_BYTES if bytes_ <= most]))
    yield Section("Size of the capture with the same flows: tcpkit flows, bulk", costs,
                  [flows_cost(capture("bulk", int(most * part)), ALL_STAGES) for part in SAME_FLOWS_SIZES])
    yield Section("Number of flows: the same, small, ten packets a flow from handshake to end", (*costs, "B/flow more"),
                  bytes_each([flows_cost(capture("small", bytes_), ALL_STAGES) for bytes_ in FLOWS_BYTES
                              if bytes_ <= most]))


def targets(mix: list[Measured], scaled: list[Section]) -> Section:
    """What the design asks for, and what this run gave."""
    def ratios(work: str, tool: str) -> tuple[str, str]:
        found = next((row for row in mix if row.work == work and row.tool.startswith(tool)), None)
        if not found or not found.run or found.run.status:
            return "not run", ""
        return f"{found.ratio:.3g}x", found.ratio_started and f"{found.ratio_started}x"

    def memory(sections: list[Section]) -> str:
        figures = [[float(cell.replace(",", "")) for cell in row[:5]] for section in sections for row in section.rows]
        return f"{max(peak - flows * EACH / 2**20 for _, _, flows, _, peak in figures):.0f} MiB"

    rows = [("all fields of the contract to arrays", "tshark -T fields, the same fields", "100x",
             *ratios("all tshark fields to arrays", "tshark")),
            ("conversations", "tshark -q -z conv,tcp", "60x", *ratios("conversations", "tshark")),
            ("full analysis", "tcptrace -n -l -r", "10x", *ratios("all tshark fields to arrays", "tcptrace")),
            ("flow extraction", "nfstream, no DPI", "30x", *ratios("conversations", "nfstream")),
            ("frame walk and decode to arrays", "libpcap loop that counts", "1.5x",
             *ratios("walk and decode to arrays", "libpcap")),
            ("two threads", "one, best of the works", "1.7x", max(row[3] for row in scaled[0].rows) + "x", ""),
            ("peak memory, flows told apart", f"less {EACH} B for each flow", f"{BASE} MiB", memory(scaled[1:3]), ""),
            ("peak memory, all of tcpkit flows", f"less {EACH} B for each flow", f"{BASE} MiB", memory(scaled[3:]), ""),
            ("import tcpkit", "", "0.15 s", start_up("-c", "import tcpkit"), ""),
            ("tcpkit --version", "", "0.15 s", start_up("-m", "tcpkit", "--version"), ""),
            ("import numpy", "for comparison", "", start_up("-c", "import numpy"), ""),
            ("import of all that a scan needs, NumPy among it", "", "0.15 s",
             start_up("-c", "import tcpkit; tcpkit.open, tcpkit.scan"), "")]
    return Section("What was asked for, on the mix",
                   ("work", "against", "at least, or at most", "in this run", "and without start"), rows)
