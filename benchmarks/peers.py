"""The peers table: every tool does its work on the same generated captures, in one run.

``python -m benchmarks.peers [--profiles mix bulk small flood] [--bytes 500M] [--runs 3] [--quick] [--write FILE]``

CPU time (user and system, start-up included), the ratio of its figure to tcpkit's for the same work, with and without
what both take to start, wall time and peak memory; each of the run with the median CPU time, or of a single run where
one takes longer than PATIENCE seconds.  Slow tools get a smaller capture, of the mix only those that keep nothing; all
figures are for a segment.  Tools that are not installed are left out, and named.  Then how the cost grows with the
capture, with its flows and with threads, and what of it all was asked for.
"""
from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tcpkit
from benchmarks.report import Measured, Section, write_report
from benchmarks.scaling import scaling_sections, targets
from benchmarks.traffic import PROFILES, generate, size
from benchmarks.works import WORKS
from tcpkit.compare import Run, run, tcp_only_profile

PATIENCE = 10.0
QUICK = "20M"
STARTS = 3
TINY = 1                         # bytes at least: the fewest packets that the generator writes
FULL = {"mix": "2G", "bulk": "2G", "small": "860M", "flood": "370M"}       # small: ten million segments
SLOW = {"mix": "100M", "bulk": "100M", "small": "10M", "flood": "10M"}     # the most that a slow tool gets


def some_runs(command: list[str], profile: str, runs: int) -> list[Run]:
    """Those of quickest to slowest in CPU time; one is enough of a tool that fails or is slow."""
    taken: list[Run] = []
    with tempfile.TemporaryDirectory() as scratch:
        while len(taken) < runs and not (taken and (taken[0].status or taken[0].seconds > PATIENCE)):
            taken.append(run(command, Path(scratch, "output"), {"WIRESHARK_CONFIG_DIR": profile}))
    return sorted(taken, key=lambda each: each.cpu_seconds)


def segments_of(capture: Path) -> int:
    return sum(len(batch) for batch in tcpkit.scan(capture, stages=["decode"]))


def measure(capture: Path, small: Path, tiny: Path, runs: int, *, exact: bool) -> Iterator[Measured]:
    """Every work by every tool; a command that serves two works is run once.  ``tiny`` shows what it takes to start.

    If ``exact``, also slow tools get the whole capture where what they take depends on it.
    """
    segments = {path: segments_of(path) for path in (capture, small)}
    with tcp_only_profile() as profile:
        @cache
        def taken(*command: str) -> Run:
            done = some_runs(list(command), profile, runs)
            return done[(len(done) - 1) // 2]

        @cache
        def start(*command: str) -> float:
            return some_runs(list(command), profile, STARTS)[0].cpu_seconds

        for work, peers in WORKS.items():
            ours = None
            for peer in peers:
                path = small if peer.slow and not (exact and peer.keeps) else capture
                command, first = peer.command(str(path)), peer.command(str(tiny))
                found = Measured(work, peer.name, segments[path], None, 0.0, ours)
                if command and first:
                    found.start = start(*first)      # before the other: it compiles Python's modules, too
                    found.run = taken(*command)
                ours = ours or found
                yield found


def show(section: Section) -> None:
    table = Table(*section.headings, title=section.title)
    for row in section.rows:
        table.add_row(*row)
    Console(width=140).print(table)


def sections_of(args: argparse.Namespace) -> Iterator[Section]:
    """The tables, each as soon as it is measured."""
    mix: list[Measured] = []
    for profile in args.profiles:
        most = size(QUICK) if args.quick else args.bytes or size(FULL[profile])
        capture, small = (generate(profile, args.directory / f"tcpkit-{profile}-{bytes_}.pcap", bytes_)
                          for bytes_ in (most, min(most, size(SLOW[profile]))))
        tiny = generate(profile, args.directory / f"tcpkit-{profile}-tiny.pcap", TINY)
        measured = list(measure(capture, small, tiny, 1 if args.quick else args.runs, exact=profile == "mix"))
        title = f"{profile}: {capture.stat().st_size / 1e6:,.0f} MB, {measured[0].segments:,} TCP segments"
        yield Section(title, Measured.HEADINGS, [row.cells() for row in measured])
        mix = mix or measured
    scaled = list(scaling_sections(args.directory, size(QUICK) if args.quick else size(FULL["mix"])))
    yield targets(mix, scaled)
    yield from scaled


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", nargs="+", choices=PROFILES, default=PROFILES)
    parser.add_argument("--bytes", type=size, help=f"of each capture, else {FULL}")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help=f"captures of {QUICK}, one run")
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--write", type=Path, help="a page with the tables, too")
    args = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"     # threads of NumPy's algebra, which no tool uses, take 0.1 s to start
    # Every tool in Python finds its modules compiled, as after any usual installation.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(args.directory / f"tcpkit-pycache-{os.getuid()}")
    sections = []
    for section in sections_of(args):
        show(section)
        sections.append(section)
        if args.write:
            write_report(args.write, sections, f"python -m benchmarks.peers {' '.join(sys.argv[1:])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
