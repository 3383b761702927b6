"""The core under valgrind's memcheck: ``python fuzz/memcheck.py [CAPTURE ...]``.

Conversations, odd frames, fragments and captures cut short go through every stage, table, text and stream, and
so do the captures named.  Memory read before it was written, touched where it should not be, or lost, is a finding,
wherever it happens, but for what KNOWN says of the interpreter, the loader and NumPy.
"""
from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

CALLERS = 60                     # of each finding, so that the core is among them below NumPy and the C library
FLOATS = "NumPy's import loses two floats; CPython had used their memory before, for times of files and constants"
# A kind of report, the function that is to blame, and why it is none: for values that were not written the function
# that took the memory.  The core is under none of them.
KNOWN = (
    ("Uninit", "_PyLong_New", "the digit of an integer that is 0, which CPython multiplies by its length 0"),
    ("InvalidRead", "is_dst", "the loader compares names of directories by words"),
    ("Leak", "_PyPegen_number_token", "CPython's parser forgets a number of the source it reads"),
    ("Leak", "init_string_ufuncs", "NumPy keeps what it registers when it is imported"),
    ("Leak", "fill_time", FLOATS),
    ("Leak", "r_object", FLOATS),
)


def captures() -> list[bytes]:
    from mutate import ODD

    from conversations import random_capture
    from fragment_trains import frames, trains
    from packets import pcap, pcapng

    talk = random_capture(1, conversations=12)
    return [pcap(talk), pcapng(talk), pcap(talk)[:-7], pcapng(talk)[:-7], pcap(ODD), pcap(frames(trains(3, 40)))]


def work(paths: list[str]) -> None:
    """What memcheck looks at."""
    from mutate import exercise

    for data in (*captures(), *(Path(path).read_bytes() for path in paths)):
        exercise(data)


def reason(kind: str, frames: list[str]) -> str:
    """Why a report with these functions is no finding; empty if it is one."""
    return next((why for known, blamed, why in KNOWN if kind.startswith(known) and blamed in frames), "")


def findings(report: Path) -> tuple[list[str], Counter[str]]:
    """What memcheck says, each in a paragraph; and how often it says what is known not to be a finding."""
    told, known = [], Counter[str]()
    for error in ElementTree.parse(report).iter("error"):
        kind, stacks = error.findtext("kind", ""), error.findall("stack")        # where it is, and of what memory
        frames = list(stacks[-1].iter("frame"))[:2] if kind.startswith("Uninit") else stacks[0].iter("frame")
        if why := reason(kind, [frame.findtext("fn", "") for frame in frames]):
            known[why] += 1
        else:
            told.append("\n    ".join([f"{kind}: {error.findtext('what') or error.findtext('xwhat/text')}",
                                       *(f"{frame.findtext('fn')} ({frame.findtext('obj')})"
                                         for frame in stacks[0].iter("frame"))]))
    return told, known


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*")
    paths = parser.parse_args().captures
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        program = f"import sys; sys.path.insert(0, {str(HERE)!r}); import memcheck; memcheck.work({paths!r})"
        done = subprocess.run(["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite",
                               "--track-origins=yes", f"--num-callers={CALLERS}", "--xml=yes", f"--xml-file={report}",
                               sys.executable, "-c", program],
                              env=os.environ | {"PYTHONMALLOC": "malloc"}, check=False)
        if done.returncode:
            return done.returncode
        told, known = findings(report)
    print(*told, *(f"known, {count} times: {why}" for why, count in known.items()), f"{len(told)} findings",
          sep="\n")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
