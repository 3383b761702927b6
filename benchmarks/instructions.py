"""Instructions a segment, counted by callgrind: the same however busy the machine is, so a regression shows.

``python -m benchmarks.instructions``          compares with instructions.json, status 1 beyond the margin
``python -m benchmarks.instructions --write``  makes what is counted the new baseline

Each work is done once to warm up, then counted on a generated capture, start-up left out.  "core" is what is
executed inside tcpcore; "rest" is the interpreter, NumPy and the C library, so a Python object or an allocation
for each segment shows there.  The baseline names its compiler; for others the margin is wider.
"""
from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.traffic import compiled, generate

HERE = Path(__file__).parent
BASELINE = HERE / "instructions.json"
CAPTURES = {"mix": 4_000_000, "small": 500_000}             # profile, bytes
MARGIN, OTHER_COMPILER = 0.05, 0.15
REST_MARGIN = 0.25                                          # Python, NumPy and libc have versions, too
# Else what was freed before decides who zeroes, and where memory happens to lie whether a copy is one instruction for
# 32 bytes or for each.
TUNABLES = ":".join(["glibc.malloc.mmap_threshold=131072", "glibc.cpu.x86_rep_movsb_threshold=1000000000",
                     "glibc.cpu.x86_rep_stosb_threshold=1000000000"])
SLACK = 5                                                   # instructions that nobody would miss
Work = Callable[[Path], object]
Counts = dict[str, dict[str, float]]                        # by "work, capture": core and rest


def scan(*stages: str) -> Work:
    import tcpkit

    return lambda capture: sum(map(len, tcpkit.scan(capture, stages=stages, threads=1)))


def flows_table(capture: Path) -> None:
    import tcpkit

    for piece in tcpkit.open(capture, threads=1).flow_pieces():
        piece.to_text("csv")


def fields_text(capture: Path) -> None:
    import tcpkit
    from tcpkit.fields import contract_names
    from tcpkit.listing import write_fields

    with open(os.devnull, "wb") as out:
        write_fields(tcpkit.open(capture, threads=1), contract_names(own=False), out)


def streams(capture: Path) -> None:
    from tcpkit.stream_scan import scan_streams

    scan_streams(capture, threads=1).run()


def works() -> dict[str, Work]:
    """What is counted; each stage's figure has those of the stages that it builds on in it."""
    each = {stage: scan(stage) for stage in ("decode", "flows", "analysis", "lifecycle", "verdicts")}
    return {**each, "flows table": flows_table, "fields text": fields_text, "streams": streams}


def run_works(captures: Iterable[str], marks: str) -> None:
    """Inside callgrind: every work on every capture, the counters written after each."""
    os.urandom = bytes                                      # the same places in hash tables every time
    gc.disable()
    callgrind = ctypes.CDLL(marks)
    for capture in map(Path, captures):
        for name, work in works().items():
            work(capture)
            callgrind.zero()
            work(capture)
            callgrind.dump(f"{name}, {capture.stem}".encode())


def count() -> Counts:
    """Runs the works under callgrind."""
    import tcpkit

    with tempfile.TemporaryDirectory() as directory:
        scratch = Path(directory)
        captures = {name: generate(name, scratch / f"{name}.pcap", size) for name, size in CAPTURES.items()}
        marks = compiled(HERE / "callgrind_marks.c", "-shared", "-fPIC")
        program = ("from benchmarks.instructions import run_works\n"
                   f"run_works({list(map(str, captures.values()))!r}, {str(marks)!r})")
        command = ["valgrind", "--tool=callgrind", "--compress-strings=no", "--compress-pos=no",
                   f"--callgrind-out-file={scratch / 'out'}", sys.executable, "-c", program]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env={
            **os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join([str(HERE.parent), *sys.path]),
            "GLIBC_TUNABLES": TUNABLES})
        if done.returncode:
            raise RuntimeError(done.stderr)
        segments = {name: sum(map(len, tcpkit.scan(path, stages=["decode"]))) for name, path in captures.items()}
        return {name: {part: round(total / segments[name.split(", ")[1]], 1) for part, total in parts.items()}
                for name, parts in sorted(map(read_dump, scratch.glob("out.*"))) if name}


def read_dump(path: Path) -> tuple[str, dict[str, int]]:
    """The name of a dump, "" for the last that has none, and the instructions inside tcpcore and elsewhere.

    Lines: "ob=" names the file that the costs after it belong to; a "calls=" line is followed by the costs of the
    callee, which are told where it is told of.
    """
    text = path.read_text()
    named = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.M)
    totals: Counter[str] = Counter(core=0, rest=0)
    part, skip = "rest", False
    for line in text.splitlines():
        if line.startswith("ob="):
            part = "core" if "/tcpcore/" in line else "rest"
        elif line.startswith("calls="):
            skip = True
        elif line[:1].isdigit():
            totals[part] += 0 if skip else int(line.split()[1])
            skip = False
    return named[1] if named else "", dict(totals)


def compiler() -> str:
    done = subprocess.run([os.environ.get("CC", "cc"), "-dumpfullversion", "-dumpversion"], capture_output=True,
                          text=True, check=True)
    return done.stdout.strip().split(".")[0]


def worse(found: Counts, baseline: dict[str, object]) -> list[str]:
    """Prints all figures; the names of those beyond the margin."""
    margins = {"core": MARGIN if baseline["compiler"] == compiler() else OTHER_COMPILER, "rest": REST_MARGIN}
    beyond = []
    for name, parts in found.items():
        for part, figure in parts.items():
            expected = baseline["instructions"][name][part]
            over = figure > expected * (1 + margins[part]) + SLACK
            beyond += [f"{name}, {part}"] * over
            print(f"{name:24} {part:6} {figure:8.0f} instructions a segment, {figure / expected - 1:+7.1%}"
                  f"{'  WORSE' if over else ''}")
    return beyond


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="make this the baseline")
    args = parser.parse_args()
    if not shutil.which("valgrind"):
        print("VALGRIND IS MISSING: instructions are not counted")
        return 0
    found = count()
    if args.write:
        BASELINE.write_text(json.dumps({"compiler": compiler(), "instructions": found}, indent=1) + "\n")
    beyond = worse(found, json.loads(BASELINE.read_text()))
    if beyond:
        print(f"\nmore than before: {'; '.join(beyond)}.  If that is worth it: "
              "python -m benchmarks.instructions --write")
    return int(bool(beyond))


if __name__ == "__main__":
    sys.exit(main())
