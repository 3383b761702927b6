"""``tcpkit compare``: beside the real tshark, and beside one that lies."""
from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from packets import Conversation

LIAR = """#!{python}
import subprocess, sys
if "-G" in sys.argv:
    print("Name\\tLong\\ttcp")
elif "--version" in sys.argv:
    print("TShark (Wireshark) {version} (Git {version})")
else:
    out = subprocess.run([{python!r}, "-m", "tcpkit", "fields", sys.argv[3], *sys.argv[sys.argv.index("-e"):]],
                         check=True, capture_output=True, text=True).stdout.splitlines()
    cells = out[2].split("\\t")
    cells[-1] = "\\x1b[31mfive"
    print(*out[:2], "\\t".join(cells), *out[3:-1], sep="\\n")
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "talk.pcap"
    path.write_bytes(Conversation().handshake().c("PA", 1, 1, 100).s("A", 1, 101).c("FA", 101, 1).pcap())
    return path


@pytest.fixture
def run(cli):
    def run(*arguments):
        done = cli("compare", *arguments)
        return done.status, done.out.decode(), done.err.decode()
    return run


@pytest.fixture
def liar(tmp_path, monkeypatch):
    """A tshark that gives the second row's last cell wrong and leaves out the last row."""
    install(LIAR.format(python=sys.executable, version="4.0.17"), tmp_path, monkeypatch)


def install(text, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_the_real_tshark_agrees(run, path):
    status, out, err = run(path)
    assert (status, err) == (0, "")
    assert "rows: 6 compared, 0 only tshark's, 0 only tcpkit's" in out
    assert "agree (100 %)" in out
    assert "different" not in out


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_json(run, path):
    status, out, _ = run(path, path, "--format", "json", "-e", "tcp.seq", "-e", "payload_len")
    results = json.loads(out)
    assert status == 0
    assert [(result["equal"], result["complete"]) for result in results] == [(True, True)] * 2
    assert list(results[0]["fields"]) == ["frame.number", "tcp.seq", "tcp.len"]
    assert results[0]["tshark"]["peak_memory"] > 1 << 20


def test_differences_are_shown_and_end_with_status_1(run, path, liar):
    status, out, _ = run(path, "-e", "tcp.seq", "-e", "tcp.len")
    assert status == 1
    assert "rows: 5 compared, 0 only tshark's, 1 only tcpkit's" in out
    assert "cells: 14 of 15 agree (93.3333 %)" in out
    assert [line.split() for line in out.splitlines() if line.startswith("    2")] == \
        [["2", "tcp.len", "\\x1b[31mfive", "0"]]
    assert "\x1b" not in out
    assert "4.0" not in out


@pytest.mark.parametrize("version", ["3.6.2", "4.4.18"])
def test_another_version_is_told(run, path, tmp_path, monkeypatch, version):
    install(LIAR.format(python=sys.executable, version=version), tmp_path, monkeypatch)
    assert f"tcpkit answers as tshark 4.0 does, this is {version}" in run(path)[1]
    assert json.loads(run(path, "--format", "json")[1])[0]["version"] == version


def test_flags_as_words(run, path, tmp_path, monkeypatch):
    """As tshark 4.4 prints them."""
    worded = LIAR.replace('cells[-1] = "\\x1b[31mfive"', 'cells[-2:] = ["True", "False"]')
    install(worded.format(python=sys.executable, version="4.4.18"), tmp_path, monkeypatch)
    _, out, _ = run(path, "-e", "tcp.flags.syn", "-e", "tcp.flags.push")
    assert "cells: 15 of 15 agree (100 %)" in out


FAILING = """#!{python}
import os, subprocess, sys
if "-G" in sys.argv:
    print("Name\\tLong\\ttcp")
else:
    out = subprocess.run([{python!r}, "-m", "tcpkit", "fields", sys.argv[3], *sys.argv[sys.argv.index("-e"):]],
                         check=True, capture_output=True, text=True).stdout.splitlines(keepends=True)
    print("** (tshark:1) 00:00:00 [Epan WARNING] -- Dissector bug, protocol TCP, in packet 2: tcp.c:1: assertion",
          file=sys.stderr)
    print(*out[:2], out[2][:3] + "\\n", *out[3:{rows}], end="", sep="", flush=True)
    {end}
"""


@pytest.mark.parametrize(("rows", "end", "status", "told"), [
    (None, "", 0, ["tshark failed at 1 frame, 1 row not compared", "first, 2: tcp.c:1: assertion"]),
    (5, "print(out[5][:4], end='', flush=True); os.abort()", 1,
     ["tshark crashed (signal 6)", "2 rows of tcpkit after that not compared"]),
    (5, "sys.exit(2)", 1, ["tshark says (status 2)", "2 only tcpkit's"])])
def test_where_tshark_fails_nothing_is_compared(run, path, tmp_path, monkeypatch, rows, end, status, told):
    install(FAILING.format(python=sys.executable, rows="" if rows is None else rows, end=end or "pass"), tmp_path,
            monkeypatch)
    found, out, _ = run(path, "-e", "tcp.seq", "-e", "tcp.len")
    assert found == status, out
    for each in told:
        assert each in out


@pytest.mark.parametrize(("ended_by", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
def test_ctrl_c_ends_tshark_too(path, tmp_path, ended_by, status):
    program = tmp_path / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport os, sys, time\nif '-r' in sys.argv:\n"
                       f"    print(os.getpid(), file=sys.stderr)\n    open({str(tmp_path / 'pid')!r}, 'w')"
                       ".write(str(os.getpid()))\n    time.sleep(60)\nprint('Name\\tLong\\ttcp')\n")
    program.chmod(0o755)
    process = subprocess.Popen([sys.executable, "-m", "tcpkit", "compare", str(path)], stderr=subprocess.PIPE,
                               env={**os.environ, "PATH": str(program.parent)})
    until = time.monotonic() + 60
    while not (told := (tmp_path / "pid").read_text() if (tmp_path / "pid").exists() else "") \
            and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(ended_by)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (status, b"tcpkit: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.kill(int(told), 0)


def test_fields_that_tshark_does_not_have(run, path):
    status, out, err = run(path, "-e", "tcp.len", "-e", "info")
    assert (status, out) == (2, "")
    assert 'tshark has no "tcpkit.info"' in err


def test_without_tshark(run, path, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    status, out, err = run(path)
    assert (status, out) == (2, "")
    assert "tshark is not installed" in err


@pytest.mark.parametrize("listing", ["sys.exit(3)", "print('one column')"])
def test_a_tshark_that_does_not_work(run, path, tmp_path, monkeypatch, listing):
    program = tmp_path / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nimport sys\n{listing}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    status, out, err = run(path, path)
    assert (status, out) == (2, "")
    assert err.count("does not list its protocols") == 1


def test_one_that_cannot_be_read_does_not_keep_the_others(run, path, tmp_path, liar):
    text = tmp_path / "text"
    text.write_text("no capture")
    status, out, err = run(text, path, "-e", "tcp.seq")
    assert status == 1
    assert "rows: 5 compared" in out
    assert err.startswith(f"tcpkit: {text}: tshark gave no table: ")
    assert run(text, "-e", "tcp.seq")[:2] == (2, "")


UNKNOWING = """#!{python}
import sys
if "-G" in sys.argv:
    print("Name\\tLong\\ttcp")
else:
    sys.exit('Running as user "root".\\ntshark: Some fields aren\\'t valid:\\n\\ttcp.one\\n\\ttcp.other')
"""


def test_all_fields_that_an_older_tshark_does_not_know_are_told(run, path, tmp_path, monkeypatch):
    program = tmp_path / "bin" / "tshark"
    program.parent.mkdir()
    program.write_text(UNKNOWING.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    status, _, err = run(path)
    assert (status, err) == (2, f"tcpkit: {path}: tshark gave no table: tshark: Some fields aren't valid: tcp.one "
                                "tcp.other\n")


def test_unknown_field(run, path):
    status, _, err = run(path, "-e", "tcp.sek")
    assert status == 2
    assert 'did you mean "tcp.seq"' in err
