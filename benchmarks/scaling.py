"""How the cost grows with the capture, its flows and the threads, and how far what was asked for is reached."""
from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Measured, Section
from benchmarks.traffic import generate
from tcpkit.compare import Run, run

PASSES = """import time, tcpkit
best = {{1: 1e9, 2: 1e9}}
for _ in range({rounds}):
    for threads in best:
        start = time.perf_counter()
        for batch in tcpkit.scan({path!r}, threads=threads, stages=[{stage!r}]): pass
        best[threads] = min(best[threads], time.perf_counter() - start)
print(best[1], best[2])"""
FLOWS = """import tcpkit
rows = 0
for piece in tcpkit.open({!r}, threads=1, stages=["flows"]).flow_pieces():
    rows += len(piece)
print(rows)"""
SEGMENTS = "import tcpkit\nprint(sum(map(len, tcpkit.scan({!r}, stages=['decode']))))"
SIZES = (0.1, 0.25, 0.5, 1)                     # of the whole
FLOWS_BYTES = (8_600_000, 86_000_000, 860_000_000)     # of "small": the more, the more flows
THREADED = {"flows": "flows", "all tshark fields": "analysis", "with the verdicts": "verdicts"}
ROUNDS = 3


def python(text: str) -> tuple[Run, str]:
    """A program's cost, and what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch, "output")
        taken = run([sys.executable, "-c", text], output, {})
        return taken, output.read_text()


def flows_cost(capture: Path) -> tuple[str, ...]:
    """Segments, flows, CPU ns for each segment, peak memory of a pass that tells flows apart."""
    segments = int(python(SEGMENTS.format(str(capture)))[1])
    taken, told = min((python(FLOWS.format(str(capture))) for _ in range(ROUNDS)), key=lambda each: each[0].cpu_seconds)
    flows, peak = int(told), taken.peak_memory / 2**20
    return (f"{capture.stat().st_size / 1e6:,.0f}", f"{segments:,}", f"{flows:,}",
            f"{taken.cpu_seconds / segments * 1e9:,.0f}", f"{peak:,.0f}")


def start_up() -> float:
    """CPU seconds until a program can use tcpkit."""
    return min(python("import tcpkit; tcpkit.open, tcpkit.scan")[0].cpu_seconds for _ in range(ROUNDS))


def speedups(capture: Path) -> Iterator[tuple[str, ...]]:
    """Wall time of a pass with one and with two threads, the best of some rounds taken in turn in one program."""
    for name, stage in THREADED.items():
        one, two = map(float, python(PASSES.format(path=str(capture), stage=stage, rounds=2 * ROUNDS))[1].split())
        yield name, f"{one:.2f}", f"{two:.2f}", f"{one / two:.2f}"


def scaling_sections(directory: Path, most: int) -> Iterator[Section]:
    """``most``: bytes of the largest capture."""
    def capture(profile: str, bytes_: int) -> Path:
        return generate(profile, directory / f"tcpkit-{profile}-{bytes_}.pcap", bytes_)

    costs = ("MB", "segments", "flows", "CPU ns/segment", "peak MiB")
    yield Section("Threads: seconds of wall time of a pass, mix", ("work", "1 thread", "2 threads", "faster by"),
                  list(speedups(capture("mix", most))))
    yield Section("Size of the capture: tcpkit flows without analysis, mix", costs,
                  [flows_cost(capture("mix", int(most * part))) for part in SIZES])
    yield Section("Number of flows: the same, small", costs,
                  [flows_cost(capture("small", bytes_)) for bytes_ in FLOWS_BYTES if bytes_ <= most])


def targets(mix: list[Measured], scaled: list[Section]) -> Section:
    """What the design asks for, and what this run gave."""
    def ratio(work: str, tool: str) -> str:
        found = next((row for row in mix if row.work == work and row.tool.startswith(tool)), None)
        return f"{found.ratio:.3g}x" if found and found.run and not found.run.status else "not run"

    figures = [[float(cell.replace(",", "")) for cell in row] for row in scaled[1].rows]
    memory = max(peak - flows * 512 / 2**20 for _, _, flows, _, peak in figures)
    rows = [("all fields of the contract to arrays", "tshark -T fields, the same fields", "100x",
             ratio("all tshark fields to arrays", "tshark")),
            ("conversations", "tshark -q -z conv,tcp", "60x", ratio("conversations", "tshark")),
            ("full analysis", "tcptrace -n -l -r", "10x", ratio("all tshark fields to arrays", "tcptrace")),
            ("flow extraction", "nfstream, no DPI", "30x", ratio("conversations", "nfstream")),
            ("frame walk and decode to arrays", "libpcap loop that counts", "1.5x",
             ratio("walk and decode to arrays", "libpcap")),
            ("two threads", "one, best of the works", "1.7x", max(row[3] for row in scaled[0].rows) + "x"),
            ("peak memory, flows of any size", "less 512 B for each flow", "64 MiB", f"{memory:.0f} MiB"),
            ("start of a program", "", "0.15 s", f"{start_up():.2f} s")]
    return Section("What was asked for, on the mix", ("work", "against", "at least, or at most", "in this run"), rows)
