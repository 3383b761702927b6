"""The peers table: every tool does its work on the same generated captures, in one run.

``python -m benchmarks.peers [--bytes 500M] [--profiles mix bulk small flood] [--runs 3] [--quick] [--write FILE]``

CPU time (user and system, start-up included), the ratio of its figure to tcpkit's for the same work, wall time
and peak memory; each of the run with the median CPU time, or of a single run where one takes longer than
PATIENCE seconds.  Tools that are not installed are left out, and named.
"""
from __future__ import annotations

import argparse
import importlib.util
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.report import Measured, write_report
from benchmarks.traffic import PROFILES, compiled, generate, size
from tcpkit.compare import Run, run, tcp_only_profile
from tcpkit.fields import contract_names
from tcpkit.packet_columns import PACKETS

HERE = Path(__file__).parent
PYTHON = sys.executable
PATIENCE = 10.0
QUICK = "20M"
Command = Callable[[str], list[str] | None]


@dataclass(frozen=True)
class Peer:
    """One tool at one work; ``command`` makes its argument list for a capture, or None if it is missing."""

    name: str
    command: Command


def tool(program: str, *arguments: str) -> Command:
    """An installed program; "{}" among the arguments stands for the capture."""
    def command(capture: str) -> list[str] | None:
        found = shutil.which(program)
        return [found, *(capture if each == "{}" else each for each in arguments)] if found else None
    return command


def script(text: str, module: str = "tcpkit") -> Command:
    """A few lines of Python that find the capture in ``path``."""
    def command(capture: str) -> list[str] | None:
        missing = importlib.util.find_spec(module) is None
        return None if missing else [PYTHON, "-c", f"path = {capture!r}\n{text}"]
    return command


def libpcap(capture: str) -> list[str] | None:
    try:
        return [str(compiled(HERE / "libpcap_count.c", "-lpcap")), capture]
    except (OSError, RuntimeError):
        return None


def tshark_fields(fields: list[str]) -> Command:
    return tool("tshark", "-n", "-r", "{}", "-Y", "tcp", "-T", "fields", "-E", "occurrence=f", *fields)


def options(names: Iterable[str]) -> list[str]:
    return [part for name in names for part in ("-e", name)]


FIELDS = options(contract_names(own=False))
FLOW_FIELDS = options(column.wireshark for column in PACKETS
                      if column.wireshark in FIELDS and column.stage in ("decode", "flows"))
SCAN = "import tcpkit\nfor batch in tcpkit.scan(path, threads=1, stages=[{!r}]): pass"
# The first peer of each work is tcpkit, against which the others are measured.
WORKS: dict[str, list[Peer]] = {
    "walk and decode to arrays": [
        Peer("tcpkit.scan, decode", script(SCAN.format("decode"))),
        Peer("libpcap loop that counts", libpcap),
        Peer("tcpdump -w /dev/null", tool("tcpdump", "-n", "-r", "{}", "-w", "/dev/null")),
        Peer("dpkt reader", script("import dpkt\nfor _ in dpkt.pcap.Reader(open(path, 'rb')): pass", "dpkt")),
    ],
    "packets and flows to arrays": [
        Peer("tcpkit.scan, flows", script(SCAN.format("flows"))),
        Peer("tshark -T fields", tshark_fields(FLOW_FIELDS)),
    ],
    "all tshark fields to arrays": [
        Peer("tcpkit.scan, analysis", script(SCAN.format("analysis"))),
        Peer("tshark -T fields", tshark_fields(FIELDS)),
        Peer("tcptrace -n -l -r", tool("tcptrace", "-n", "-l", "-r", "{}")),
    ],
    "all tshark fields as text": [
        Peer("tcpkit fields", tool(PYTHON, "-m", "tcpkit", "fields", "{}", *FIELDS)),
        Peer("tshark -T fields", tshark_fields(FIELDS)),
    ],
    "flows": [
        Peer("tcpkit flows", tool(PYTHON, "-m", "tcpkit", "flows", "{}", "--format", "csv")),
        Peer("tcpkit conversations", tool(PYTHON, "-m", "tcpkit", "conversations", "{}", "--format", "csv")),
        Peer("tshark -z conv,tcp", tool("tshark", "-n", "-q", "-r", "{}", "-z", "conv,tcp")),
        Peer("nfstream, no DPI", script("import nfstream\nfor _ in nfstream.NFStreamer(source=path, n_dissections=0): "
                                        "pass", "nfstream")),
    ],
}


def median_run(command: list[str], profile: str, runs: int) -> Run:
    """The run with the median CPU time; status and messages tell of a failure."""
    taken: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch:
        while len(taken) < runs and not (taken and (taken[0].status or taken[0].seconds > PATIENCE)):
            taken.append(run(command, Path(scratch, "output"), {"WIRESHARK_CONFIG_DIR": profile}))
    middle = statistics.median_low([each.cpu_seconds for each in taken])
    return next(each for each in taken if each.cpu_seconds == middle)


def measure(capture: Path, packets: int, runs: int) -> Iterator[Measured]:
    """Every work by every tool; a command that serves two works is run once."""
    done: dict[tuple[str, ...], Run] = {}
    with tcp_only_profile() as profile:
        for work, peers in WORKS.items():
            ours = 0.0
            for peer in peers:
                command = peer.command(str(capture))
                if command is None:
                    yield Measured(work, peer.name, packets, None, 0.0)
                    continue
                if tuple(command) not in done:
                    done[tuple(command)] = median_run(command, profile, runs)
                taken = done[tuple(command)]
                ours = ours or taken.cpu_seconds
                yield Measured(work, peer.name, packets, taken, taken.cpu_seconds / ours)


def show(title: str, rows: list[Measured]) -> Table:
    table = Table(*Measured.HEADINGS, title=title)
    for row in rows:
        table.add_row(*row.cells(), end_section=row is rows[-1])
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=PROFILES)
    parser.add_argument("--bytes", type=size, default=size("500M"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=f"captures of {QUICK}, one run")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--write", type=Path, help="a page with the tables, too")
    args = parser.parse_args()
    bytes_, runs = (size(QUICK), 1) if args.quick else (args.bytes, args.runs)
    import tcpkit

    tables: dict[str, list[Measured]] = {}
    for profile in args.profiles:
        capture = generate(profile, args.directory / f"tcpkit-{profile}-{bytes_}.pcap", bytes_)
        packets = sum(len(batch) for batch in tcpkit.scan(capture, stages=["decode"]))
        title = f"{profile}: {capture.stat().st_size / 1e6:,.0f} MB, {packets:,} TCP segments"
        tables[title] = list(measure(capture, packets, runs))
        Console(width=120).print(show(title, tables[title]))
    if args.write:
        write_report(args.write, tables, f"python -m benchmarks.peers {' '.join(sys.argv[1:])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
