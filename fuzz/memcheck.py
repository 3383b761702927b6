"""The core under valgrind's memcheck: ``python fuzz/memcheck.py [CAPTURE ...]``.

Conversations, odd frames, fragments and captures cut short go through every stage, table, text and stream, and
so do the captures named.  Memory read before it was written, touched where it should not be, or lost, with a function
of the core among the callers, is a finding; what the interpreter and NumPy do without the core is counted only.
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

CALLERS = 30                     # of each finding, so that the core is among them below NumPy and the C library


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


def findings(report: Path) -> tuple[list[str], Counter[str]]:
    """What memcheck says of the core, each in a paragraph; and how often it says what of anything else."""
    core, others = [], Counter[str]()
    for error in ElementTree.parse(report).iter("error"):
        kind = error.findtext("kind", "")
        frames = list(error.iter("frame"))
        if any("/tcpcore/" in frame.findtext("obj", "") for frame in frames):
            core.append("\n    ".join([f"{kind}: {error.findtext('what') or error.findtext('xwhat/text')}",
                                       *(f"{frame.findtext('fn')} ({frame.findtext('obj')})" for frame in frames)]))
        else:
            others[kind] += 1
    return core, others


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("captures", nargs="*")
    paths = parser.parse_args().captures
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.xml")
        program = f"import sys; sys.path.insert(0, {str(HERE)!r}); import memcheck; memcheck.work({paths!r})"
        done = subprocess.run(["valgrind", "--tool=memcheck", "--leak-check=full", "--show-leak-kinds=definite",
                               f"--num-callers={CALLERS}", "--xml=yes", f"--xml-file={report}", sys.executable, "-c",
                               program],
                              env=os.environ | {"PYTHONMALLOC": "malloc"}, check=False)
        if done.returncode:
            return done.returncode
        core, others = findings(report)
    print(*core, sep="\n\n")
    print(f"{len(core)} findings in the core; elsewhere {dict(others) or 'none'}")
    return 1 if core else 0


if __name__ == "__main__":
    sys.exit(main())
