"""Score the verdicts against what the paths really did: ``score.py [DIRECTORY] [--tshark] [--worst N]``.

DIRECTORY holds NAME.pcap and NAME.truth.csv, as record.py writes them.  For each kind of segment: precision, recall
and F1 over all captures; then how far the causes agree with the kernel that sent the segments.  Exit status 1 if a
kind falls short of what docs/verdicts.md promises.
"""
from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import tcpkit

CAPTURES = Path(__file__).with_name("captures")
PROMISED = {"new": 0.999, "reordered": 0.97, "retransmission": 0.99, "network_duplicate": 0.97, "probe": 0.999}
OWN_CAUSES = ("fin", "path_mtu")               # whichever of its timers the kernel used
FLAGS = ("retransmission", "out_of_order", "keep_alive", "zero_window_probe")


class Said(NamedTuple):
    kind: str
    cause: str = ""
    trigger: str = ""


class Score:
    """Counts of (what it was, what was said)."""

    def __init__(self) -> None:
        self.kinds: Counter[tuple[str, str]] = Counter()
        self.causes: Counter[tuple[str, str]] = Counter()
        self.needless: Counter[tuple[bool, bool]] = Counter()
        self.wrong: dict[str, Counter[str]] = {}

    def add(self, name: str, truth: list[dict[str, str]], said: dict[int, Said]) -> None:
        errors: Counter[str] = Counter()
        for row in truth:
            if row["scored"] == "0":
                continue
            verdict = said.get(int(row["frame"]), Said("missing"))
            self.kinds[row["kind"], verdict.kind] += 1
            if verdict.kind != row["kind"]:
                errors[f"{row['kind']} taken for {verdict.kind or 'nothing'}"] += 1
            elif verdict.kind == "retransmission":
                self.needless[row["needless"] == "1", verdict.cause == "spurious"] += 1
                if row.get("cause"):
                    self.causes[row["cause"], verdict.trigger] += 1
                    if verdict.trigger and verdict.trigger not in (row["cause"], *OWN_CAUSES):    # none in tshark
                        errors[f"{row['cause']} taken for {verdict.trigger}"] += 1
        if errors:
            self.wrong[name] = errors

    def figures(self, kind: str) -> tuple[int, float, float, float]:
        """Segments, precision, recall, F1."""
        hit = self.kinds[kind, kind]
        actual = sum(n for (true, _), n in self.kinds.items() if true == kind)
        claimed = sum(n for (_, said), n in self.kinds.items() if said == kind)
        precision, recall = hit / claimed if claimed else 0.0, hit / actual if actual else 0.0
        return actual, precision, recall, 2 * precision * recall / (precision + recall) if hit else 0.0

    def report(self, worst: int) -> Iterator[str]:
        yield f"{'kind':20} {'segments':>9} {'precision':>9} {'recall':>9} {'F1':>9}"
        for kind in PROMISED:
            actual, *rates = self.figures(kind)
            yield f"{kind:20} {actual:>9}" + "".join(f" {rate:>9.4f}" for rate in rates)
        for name, errors in sorted(self.wrong.items(), key=lambda item: -item[1].total())[:worst]:
            yield f"{name}: " + ", ".join(f"{what}: {n}" for what, n in errors.most_common())
        if any(spurious for (_, spurious) in self.needless):
            found, missed = self.needless[True, True], self.needless[True, False]
            yield f"needless: {found} of {found + missed} found, {self.needless[False, True]} taken for it wrongly"
        for cause in sorted({true for true, _ in self.causes if self.causes[true, ""] == 0}):
            said = {what: n for (true, what), n in self.causes.items() if true == cause}
            yield f"sent by the kernel for {cause}: " + ", ".join(f"{what} {n}" for what, n in sorted(said.items()))

    def keeps_promises(self) -> bool:
        return all(self.figures(kind)[3] >= least for kind, least in PROMISED.items() if self.figures(kind)[0])


def verdicts(capture: Path) -> dict[int, Said]:
    packets = tcpkit.open(capture).packets
    columns = (packets[name].filled("") for name in ("kind", "cause", "trigger"))
    return {int(frame): Said(*map(str, words)) for frame, *words in zip(packets["frame"], *columns, strict=True)}


def tshark_flags(capture: Path) -> dict[int, Said]:
    """The installed tshark's flags, as kinds; it knows no duplicates of the network's."""
    fields = [word for flag in FLAGS for word in ("-e", f"tcp.analysis.{flag}")]
    command = ["tshark", "-n", "-r", str(capture), "-Y", "tcp", "-T", "fields", "-e", "frame.number", *fields]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    said = {}
    for line in text.splitlines():
        frame, again, late, *probe = line.split("\t")
        kind = "probe" if any(probe) else "retransmission" if again else "reordered" if late else "new"
        said[int(frame)] = Said(kind)
    return said


def score(directory: Path, tshark: bool = False) -> Score:
    total = Score()
    for truth in sorted(directory.glob("*.truth.csv")):
        capture = truth.with_name(truth.name.replace(".truth.csv", ".pcap"))
        with truth.open() as file:
            total.add(capture.name, list(csv.DictReader(file)), tshark_flags(capture) if tshark else verdicts(capture))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", default=CAPTURES)
    parser.add_argument("--tshark", action="store_true", help="score the installed tshark's flags instead")
    parser.add_argument("--worst", type=int, default=10)
    arguments = parser.parse_args()
    total = score(arguments.directory, arguments.tshark)
    print("\n".join(total.report(arguments.worst)))
    sys.exit(0 if arguments.tshark or total.keeps_promises() else 1)


if __name__ == "__main__":
    main()
