"""The peers table: every tool does its work on the same generated capture, in one run.

``python -m benchmarks.peers [--bytes 500M] [--profile mix] [--runs 3]``

CPU time per packet (user and system, start-up included), the ratio to tcpkit's figure for the same
work, wall time and peak memory; each the median of the runs.  Tools that are not installed are left out.
"""
from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.traffic import PROFILES, compiled, generate, size
from tcpkit.compare import Run, run, tcp_only_profile
from tcpkit.fields import contract_names

HERE = Path(__file__).parent
PYTHON = sys.executable


@dataclass(frozen=True)
class Peer:
    """One tool at one work; ``command`` makes its argument list for a capture, or None if it is missing."""

    name: str
    command: Callable[[str], list[str] | None]


def tool(program: str, *arguments: str) -> Callable[[str], list[str] | None]:
    """An installed program; "{}" among the arguments stands for the capture."""
    def command(capture: str) -> list[str] | None:
        found = shutil.which(program)
        return (found and [found, *(capture if each == "{}" else each for each in arguments)]) or None
    return command


def script(text: str, module: str = "tcpkit") -> Callable[[str], list[str] | None]:
    """A few lines of Python that find the capture in ``path``."""
    def command(capture: str) -> list[str] | None:
        missing = os.spawnv(os.P_WAIT, PYTHON, [PYTHON, "-c", f"import importlib.util as u, sys; "
                                                f"sys.exit(u.find_spec({module!r}) is None)"])
        return None if missing else [PYTHON, "-c", f"path = {capture!r}\n{text}"]
    return command


def libpcap(capture: str) -> list[str] | None:
    try:
        return [str(compiled(HERE / "libpcap_count.c", "-lpcap")), capture]
    except OSError:
        return None


FIELDS = [part for name in contract_names() for part in ("-e", name)]
TSHARK_FIELDS = tool("tshark", "-n", "-r", "{}", "-Y", "tcp", "-T", "fields", "-E", "occurrence=f", *FIELDS)
# The first peer of each work is tcpkit, against which the others are measured.
WORKS: dict[str, list[Peer]] = {
    "walk and decode to arrays": [
        Peer("tcpkit", script("import tcpkit\nfor batch in tcpkit.scan(path, stages='decode', threads=1): pass")),
        Peer("libpcap loop that counts", libpcap),
        Peer("tcpdump -w /dev/null", tool("tcpdump", "-n", "-r", "{}", "-w", "/dev/null")),
        Peer("dpkt reader", script("import dpkt\nfor _ in dpkt.pcap.Reader(open(path, 'rb')): pass", "dpkt")),
    ],
    "all fields to arrays": [
        Peer("tcpkit", script("import tcpkit\nfor batch in tcpkit.scan(path, threads=1): pass")),
        Peer("tshark -T fields", TSHARK_FIELDS),
        Peer("tcptrace -n -l -r", tool("tcptrace", "-n", "-l", "-r", "{}")),
    ],
    "all fields as text": [
        Peer("tcpkit fields", tool(PYTHON, "-m", "tcpkit", "fields", "{}", *FIELDS)),
        Peer("tshark -T fields", TSHARK_FIELDS),
    ],
    "flows": [
        Peer("tcpkit flows", tool(PYTHON, "-m", "tcpkit", "flows", "{}", "--format", "csv")),
        Peer("tshark -z conv,tcp", tool("tshark", "-n", "-q", "-r", "{}", "-z", "conv,tcp")),
        Peer("nfstream", script("import nfstream\nfor _ in nfstream.NFStreamer(source=path, n_dissections=0): pass",
                                "nfstream")),
    ],
}


def median_run(command: list[str], profile: str, runs: int) -> Run:
    """The run with the median CPU time."""
    with tempfile.TemporaryDirectory() as scratch:
        taken = [run(command, Path(scratch, "output"), {"WIRESHARK_CONFIG_DIR": profile}) for _ in range(runs)]
    failed = next((each for each in taken if each.status), None)
    if failed is not None:
        raise SystemExit(f"{command[0]} failed with status {failed.status}: {failed.messages}")
    middle = statistics.median_low([each.cpu_seconds for each in taken])
    return next(each for each in taken if each.cpu_seconds == middle)


def measure(capture: Path, packets: int, runs: int) -> Table:
    table = Table("work", "tool", "CPU ns/packet", "times tcpkit", "wall s", "peak MiB", title=capture.name)
    with tcp_only_profile() as profile:
        for work, peers in WORKS.items():
            ours = 0.0
            for peer in peers:
                command = peer.command(str(capture))
                if command is None:
                    continue
                taken = median_run(command, profile, runs)
                ours = ours or taken.cpu_seconds
                table.add_row(work, peer.name, f"{taken.cpu_seconds / packets * 1e9:,.0f}",
                              f"{taken.cpu_seconds / ours:.2f}", f"{taken.seconds:.2f}",
                              f"{taken.peak_memory / 2**20:.0f}")
            table.add_section()
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", choices=PROFILES, default="mix")
    parser.add_argument("--bytes", type=size, default=size("500M"))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", type=Path, default=Path(tempfile.gettempdir()))
    args = parser.parse_args()
    capture = generate(args.profile, args.directory / f"tcpkit-{args.profile}-{args.bytes}.pcap", args.bytes)
    import tcpkit
    Console().print(measure(capture, tcpkit.open(capture).info.packets, args.runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
