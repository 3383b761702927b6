"""The commands that tell how connections live: handshakes, threats, explain."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "loopback.pcap"


def tcpkit(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-W", "error", "-m", "tcpkit", *map(str, arguments)], capture_output=True,
                          text=True, check=False, timeout=120)


def test_handshakes():
    done = tcpkit("handshakes", EXAMPLE, "--format", "json")
    row, = json.loads(done.stdout)
    assert (done.returncode, row["outcome"], row["server"]) == (0, "complete", "127.0.0.1")


def test_threats_of_a_quiet_capture():
    done = tcpkit("threats", EXAMPLE)
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 1)


def test_explain_draws_in_the_terminal_and_into_a_file(tmp_path):
    done = tcpkit("explain", EXAMPLE, 0)
    assert done.returncode == 0
    assert "SYN-RECEIVED" in done.stdout
    picture = tmp_path / "ladder.svg"
    assert tcpkit("explain", EXAMPLE, 0, "--svg", picture).returncode == 0
    assert picture.read_text(encoding="utf-8").startswith("<svg ")


def test_explain_without_such_a_stream():
    done = tcpkit("explain", EXAMPLE, 99)
    assert done.returncode == 2
    assert "no stream 99" in done.stderr


def test_plot_draws_into_a_file(tmp_path):
    picture = tmp_path / "sequence.svg"
    done = tcpkit("plot", EXAMPLE, 0, "-o", picture)
    assert (done.returncode, done.stderr) == (0, "")
    assert "<svg " in picture.read_text(encoding="utf-8")
    assert tcpkit("plot", EXAMPLE, 0, "--graph", "rtt", "--sender", "client", "-o", tmp_path / "a.png").returncode == 0
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_plot_without_such_a_stream_or_format(tmp_path):
    assert "no stream 99" in tcpkit("plot", EXAMPLE, 99, "-o", tmp_path / "a.svg").stderr
    done = tcpkit("plot", EXAMPLE, 0, "-o", tmp_path / "a.xyz")
    assert done.returncode == 2
    assert "xyz" in done.stderr


def test_report_writes_a_page(tmp_path):
    page = tmp_path / "report.html"
    done = tcpkit("report", EXAMPLE, "-o", page)
    assert (done.returncode, done.stderr) == (0, "")
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
