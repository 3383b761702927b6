"""Mutated captures read in different ways: ``python fuzz/differential.py --seconds 60 [--seed 1]``.

By tcpkit and by tshark, if 4.0 is installed: the same frames with the same cells, or a difference of a kind that
docs/differences.md explains.  By tcpkit in each way of fuzz/ways.py: the same bytes.  Some captures are whole files
with bytes changed anywhere; of others, a few conversations whose headers were changed, tshark reads many at once,
one behind the other with addresses of their own.  A capture that shows a difference is kept, and ends the run with
status 1.
"""
from __future__ import annotations

import argparse
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from headers import mutated_frames
from mutate import mutate, sample
from ways import disagreement

import tcpkit
import tcpkit.compare
from packets import pcap, pcapng
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.flags import Damage
from tcpkit.compare import ORACLE, TIMES, CompareError, Comparison, Run, compare, is_oracle, tshark, version_of
from tcpkit.fields import contract_names
from tcpkit.listing import write_fields
from tcpkit.sources import open_source

SHARED_NAMES = contract_names(own=False)
TOGETHER, TURN = 40, 8           # captures that tshark reads as one, for its start costs most: one turn of so many
EDGES = {"tcp.options.sack_le", "tcp.options.sack_re"}
TIME = re.compile(r"-?\d+\.\d{9}")
LATEST = 2**63 / 10**9           # second that a time in nanoseconds reaches
ETHERNET = 1
PCAP = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1")        # magic numbers that several variants share


def whole_file(rng: random.Random) -> bytes:
    """A capture with bytes changed anywhere."""
    data = sample(rng, link_types=(ETHERNET,))
    for _ in range(rng.choice((1, 2, 8))):
        mutate(rng, data)
    return bytes(data)


def turn(seed: int) -> tuple[list[bytes], bytes]:
    """Some captures, and the one of them all that tshark reads."""
    rng = random.Random(seed)
    if seed % TURN:
        data = whole_file(rng)
        return [data], data
    write = rng.choice((pcap, pcapng))
    parts = [mutated_frames(rng, network) for network in range(TOGETHER)]
    return [write(part) for part in parts], write([frame for part in parts for frame in part])


def in_process(path: str | Path, names: list[str], output: Path) -> Run:
    """The table of tcpkit, without the start of another Python."""
    with output.open("wb") as out:
        try:
            write_fields(tcpkit.open(path, threads=1), names, out)
        except tcpkit.CaptureError:              # before the first row, if it is no capture
            out.write(b"" if out.tell() else "\t".join(names).encode() + b"\n")
    return Run(0, 0, 0, 0)


def packets(path: Path) -> Any:
    """What decoding alone gives; None if it is no capture."""
    try:
        return tcpkit.open(path, stages=["decode"], threads=1).packets.array
    except tcpkit.CaptureError:
        return None


def kind_of_cell(difference: tuple[str, str, str, str], short: set[str], cut: set[str]) -> str:
    """What explains a cell that differs (docs/differences.md); empty if nothing does.

    ``short`` and ``cut`` are the frames with segments without a length, and with options that were not all captured.
    """
    frame, field, theirs, ours = difference
    if field == "tcp.checksum" and ours == "":
        return "checksums of headers that end right behind it"
    if field in EDGES and frame in short:
        return "edges of SACK blocks in segments without a length"
    if field.startswith("tcp.analysis") and frame in cut and ours == "":
        return "findings of segments of which an option with a wrong length was cut off"
    if field in {*TIMES, "frame.time_relative"} and is_odd_time(theirs, ours):
        return "times of which the fraction is a second or more, or negative, and times beyond 2262"
    return ""


def is_odd_time(theirs: str, ours: str) -> bool:
    """Beyond what nanoseconds hold, or with a fraction of a second or more, or below zero: then -7.1 is 6.9."""
    if not TIME.fullmatch(theirs) or abs(float(theirs)) > LATEST:
        return True
    whole, fraction = theirs.split(".")
    return theirs[0] == "-" and 10**9 * -int(whole) - int(fraction) == int(ours.replace(".", "") or 0)


def kind_of_capture(path: Path) -> str:
    """What explains that other frames are segments, or other cells differ; empty if nothing does."""
    frames, link_types = [], set()
    reader, batch = Reader(open_source(path)), Batch(1 << 12)
    while reader.next(batch):
        content, start = batch.data_bytes, batch.data_offset
        for row in batch.frame_array:
            at = int(row["offset"]) - start
            frames.append([str(row["wire_len"]), content[at:at + min(14, int(row["cap_len"]))][:6].hex(":")])
            link_types.add(int(row["link_type"]))
    if link_types != {ETHERNET}:
        return "a link type that does not fit the frames"
    told = subprocess.run([tshark(), "-n", "-r", path, "-T", "fields", "-e", "frame.len", "-e", "eth.dst"],
                          capture_output=True, text=True, check=False).stdout
    if path.read_bytes()[:4] in PCAP and frames != [line.split("\t") for line in told.splitlines()]:
        return "which variant of pcap damaged records are of"
    return ""


def differences(found: Comparison, kinds: Counter[str]) -> list[str]:
    """What nothing explains; ``kinds`` counts the rest."""
    rows = packets(Path(found.path))
    short, cut = ({str(frame) for frame in rows["frame"][rows["damage"] & kind != 0]}
                  for kind in (Damage.SHORT_SEGMENT, Damage.OPTIONS_CUT))
    told = [f"{found.missing} rows missing, {found.extra} more"] if found.missing or found.extra else []
    for each in found.differences:
        kind = kind_of_cell(each, short, cut)
        kinds[f"cells: {kind}"] += kind != ""
        told += [] if kind else [str(each)]
    if told and (kind := kind_of_capture(Path(found.path))):
        kinds[f"captures: {kind}"] += 1
        told = []
    return told


@dataclass
class Account:
    """What was compared."""

    captures: int = 0
    read_by_tshark: int = 0
    rows: int = 0
    cells: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        kinds = "".join(f"\n{count:9,} {kind}" for kind, count in self.kinds.items() if count)
        return (f"{self.captures:,} mutated captures, tshark started {self.read_by_tshark:,} times; "
                f"{self.rows:,} segments, {self.cells:,} cells{kinds}")


def take_turn(seed: int, keep: Path, account: Account, *, has_tshark: bool) -> list[str]:
    """What differs without an explanation; the capture is kept then."""
    captures, whole = turn(seed)
    for data in captures:
        account.captures += 1
        wrong = disagreement(data, keep, account.captures)
        if wrong:
            return [f"{wrong} gives other bytes"]
    keep.write_bytes(whole)
    if not has_tshark:
        return []
    try:
        found = compare(keep, SHARED_NAMES, ours_by=in_process)
    except CompareError as error:                # no capture any more, or of a link type that neither knows
        rows = packets(keep)
        return [str(error)] if rows is not None and len(rows) else []
    account.read_by_tshark += 1
    account.rows += found.rows
    account.cells += sum(score.cells for score in found.fields.values())
    return [] if found.equal else differences(found, account.kinds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=TURN)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir(), "tcpkit-differential.pcap"))
    args = parser.parse_args()
    has_tshark = shutil.which("tshark") is not None and is_oracle(version_of("tshark"))
    if not has_tshark:
        print(f"tshark {ORACLE} is not installed: only the ways to read a capture are compared", file=sys.stderr)
    tcpkit.compare.EXAMPLES = sys.maxsize        # each difference has to be explained
    end, seed, account = time.monotonic() + args.seconds, args.seed, Account()
    while time.monotonic() < end:
        if wrong := take_turn(seed, args.keep, account, has_tshark=has_tshark):
            print(f"seed {seed}, kept in {args.keep}:", *wrong[:20], sep="\n")
            return 1
        seed += 1
    print(account)
    return 0


if __name__ == "__main__":
    sys.exit(main())
