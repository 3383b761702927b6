"""What docs/bulk.md shows is what happens, in a directory with a day's captures."""
from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import zstandard

from conversations import random_capture
from packets import pcap

PAGE = (Path(__file__).parents[2] / "docs" / "bulk.md").read_text()


def run(place, *arguments):
    return subprocess.run([sys.executable, *arguments], cwd=place, capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))})


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A directory with captures and what the page's command exports from them."""
    place = tmp_path_factory.mktemp("bulk")
    (place / "day").mkdir()
    for hour in range(3):
        frames = pcap(random_capture(hour, conversations=10), nano=True)
        (place / "day" / f"{hour}.pcapng.zst").write_bytes(zstandard.compress(frames))
    (place / "lone.pcap").write_bytes(pcap(random_capture(7), nano=True))
    command = next(line for line in blocks("sh")[0].splitlines() if line.startswith("tcpkit export"))
    arguments = [each for word in shlex.split(command)
                 for each in (sorted(map(str, place.glob(word))) if "*" in word else [word])]
    done = run(place, "-m", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return place


@pytest.mark.parametrize("program", blocks("python"))
def test_python(place, program):
    done = run(place, "-c", program)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("question", [each for block in blocks("sql") for each in block.strip().split(";") if each])
def test_duckdb(place, monkeypatch, question):
    monkeypatch.chdir(place)
    assert duckdb.sql(question).fetchall()
