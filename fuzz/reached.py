"""How much of the core the fuzzers' corpora reach: ``python fuzz/reached.py [TARGET ...]``, or ``make coverage``.

Runs every input of build/fuzz/corpus once, by the core that was built for gcov into build/coverage/lib.  A line of
Cython counts as reached if something of the C made from it was executed in any of the modules that include it.
"""
from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "coverage"
CORPUS = ROOT / "build" / "fuzz" / "corpus"
CORE = ROOT / "src" / "tcpcore"
TARGETS = sorted(path.stem for path in (ROOT / "fuzz" / "targets").glob("[a-z]*.py"))
MARK = re.compile(r'/\* "(?:src/)?tcpcore/(\S+)":(\d+)$')      # Cython says which line the C below it is made from
UNMARKED = re.compile(r"  /\* function exit code \*/|^static |^\S.*\{$")
Lines = dict[str, dict[int, bool]]                            # of each file: line, whether it was reached


def replay(name: str) -> None:
    """All inputs of a target, each once; those it begins with, if nothing was kept yet."""
    target = importlib.import_module(f"targets.{name}")
    kept = [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]
    for data in kept or target.seeds():
        target.one(data)


def counts(notes: Path) -> Iterator[tuple[Path, dict[int, bool]]]:
    """The C files of one object, and which of their lines were executed."""
    told = subprocess.run(["gcov", "--json-format", "--stdout", notes], capture_output=True, text=True, check=True)
    for line in told.stdout.splitlines():
        for file in json.loads(line)["files"]:
            yield ROOT / file["file"], {each["line_number"]: each["count"] > 0 for each in file["lines"]}


def mark_reached(c: Path, executed: dict[int, bool], lines: Lines) -> None:
    """Adds to ``lines`` what of the Cython was executed, by the marks in the C."""
    place: tuple[str, int] | None = None
    for number, text in enumerate(c.read_text().splitlines(), 1):
        if mark := MARK.search(text):
            place = mark[1], int(mark[2])
        elif UNMARKED.match(text):
            place = None
        elif place and number in executed:
            file, line = place
            lines[file][line] = lines[file].get(line, False) or executed[number]


def report(lines: Lines) -> None:
    for file, of in sorted(lines.items()):
        missed = [line for line, hit in sorted(of.items()) if not hit]
        print(f"{file:24} {len(of) - len(missed):5} of {len(of):5} lines {1 - len(missed) / len(of):6.1%}  "
              f"{' '.join(map(str, missed[:12]))}{' ...' if len(missed) > 12 else ''}")
    total, hit = (sum(map(function, lines.values())) for function in (len, lambda of: sum(of.values())))
    print(f"{'all':24} {hit:5} of {total:5} lines {hit / total:6.1%}")


def main() -> None:
    for old in BUILD.rglob("*.gcda"):
        old.unlink()
    path = os.pathsep.join(map(str, (BUILD / "lib", ROOT / "fuzz", ROOT / "tests")))
    for name in sys.argv[1:] or TARGETS:
        subprocess.run([sys.executable, "-c", f"import reached; reached.replay({name!r})"], check=True,
                       env=os.environ | {"PYTHONPATH": path})
    lines: Lines = defaultdict(dict)
    for notes in sorted(BUILD.rglob("*.gcda")):
        for c, executed in counts(notes):
            if c.suffix == ".c":
                mark_reached(c, executed, lines)
    report(lines)


if __name__ == "__main__":
    main()
