"""Names, comments and payload of a hostile capture steer no terminal, name no file, and are no markup."""
from __future__ import annotations

import io
import os
import sys
from xml.etree import ElementTree

import pytest

import tcpkit
from packets import Conversation, pcapng_interface, pcapng_option, pcapng_packet, pcapng_section
from tcpkit.export import export
from tcpkit.ladder import build_ladder
from tcpkit.ladder_svg import ladder_svg

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\n\u202e<script>alert(1)</script>[bold red]../../../x\x7f"
ALLOWED = {ord("\n"), ord("\t")}
REQUEST = ("GET /" + EVIL.replace("\r\n", "").replace(" ", "") + " HTTP/1.1\r\nHost: " + EVIL.replace("\r\n", "")
           + "\r\n\r\n").encode("latin-1", "replace")
RESPONSE = b"HTTP/1.1 200 OK\x1b[31m\r\nContent-Type: text/\x1b[2Jhtml\r\nContent-Length: 2\r\n\r\n\x1b["
COMMANDS = [
    *([name, "--format", form] for form in ("table", "csv", "json", "jsonl")
      for name in ("flows", "conversations", "handshakes", "retransmissions", "threats", "http")),
    ["info"], ["info", "--format", "json"], ["packets"], ["explain", "0"], ["states"],
    ["overlaps"], ["follow", "0"], ["follow", "--hex", "0"], ["follow", "--tshark", "0"],
    ["fields", "-e", "frame.number", "-e", "ip.src", "-e", "tcp.srcport"]]


def hostile_capture() -> bytes:
    talk = Conversation(client_isn=0).handshake()
    after = 1 + len(REQUEST)
    talk.c("PA", 1, 1, REQUEST).s("PA", 1, after, RESPONSE).s("PA", 1, after, b"\x1b" * len(RESPONSE))
    text = EVIL.encode()
    section = b"".join(pcapng_option(code, text) for code in (1, 2, 3, 4))
    interface = b"".join(pcapng_option(code, text) for code in (1, 2, 3, 12, 15)) + pcapng_option(11, b"\0" + text)
    packets = [pcapng_packet(frame, options=pcapng_option(1, text)) for frame in talk.frames]
    return b"".join([pcapng_section(options=section), pcapng_interface(options=interface), *packets, b"\0\0\0"])


@pytest.fixture
def path(tmp_path):
    """A damaged capture in a file with a name that is as hostile as a name can be."""
    path = tmp_path / (EVIL.replace("/", "") + os.fsdecode(b"\xff") + ".pcapng")
    path.write_bytes(hostile_capture())
    return path


def assert_harmless(output: bytes) -> None:
    text = output.decode()                               # it is UTF-8, too
    assert {letter for letter in text if not letter.isprintable() and ord(letter) not in ALLOWED} == set()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_steers_the_terminal(cli, path, command):
    done = cli(command[0], path, *command[1:])
    assert done.status == 1                              # the capture is cut short, and that is told
    assert b"in the middle of a record" in done.err
    assert_harmless(done.out)
    assert_harmless(done.err)


@pytest.mark.parametrize("command", [["info"], ["flows"], ["export", "-o", "out"], ["filter", "-o", "o.pcap", "tcp"]])
def test_a_file_that_is_no_capture(cli, path, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path.write_text(EVIL)
    done = cli(command[0], path, *command[1:])
    assert done.status in (1, 2)
    assert_harmless(done.out)
    assert_harmless(done.err)


def test_raw_bytes_do_not_go_to_a_terminal(cli, path, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert cli("follow", path, "0", "--raw").status == 2
    assert cli("follow", path, "0", "--raw", "-o", tmp_path / "bytes").status == 1
    assert REQUEST in (tmp_path / "bytes").read_bytes()


def test_files_of_streams_have_harmless_names(cli, path, tmp_path):
    out = tmp_path / "streams"
    cli("follow", path, "--all", "-o", out)
    assert sorted(each.name for each in out.iterdir()) == [
        "00000-client-10.0.0.1_50000-10.0.0.2_60000", "00000-server-10.0.0.2_60000-10.0.0.1_50000"]


def test_what_is_exported_stays_where_it_belongs(path, tmp_path):
    out = tmp_path / "a" / "out"
    before = set(tmp_path.rglob("*"))
    (done,) = export([path], out, tables=["flows"], form="csv")
    assert done.error == ""
    made = [each for each in set(tmp_path.rglob("*")) - before if each.is_file()]
    assert len(made) == 2
    for each in made:
        assert out in each.parents
        assert_harmless(os.fsencode(each.relative_to(tmp_path)))


def test_tables_are_no_markup():
    capture = tcpkit.open(io.BytesIO(hostile_capture()))
    for table in (capture.packets, capture.flows, capture.directions, capture.handshakes, capture.retransmissions):
        html = table._repr_html_()
        assert "script" not in html
        ElementTree.fromstring(f"<div>{html}</div>")
        assert_harmless(repr(table).encode())
    svg = ladder_svg(build_ladder(capture, 0, everything=True))
    assert "alert" not in svg
    ElementTree.fromstring(svg)


@pytest.mark.parametrize("shown", ["info", "http", "streams", "quality", "warnings"])
def test_what_python_shows(shown):
    found = getattr(tcpkit.open(io.BytesIO(hostile_capture()), stages=("analysis",)), shown)
    assert_harmless(repr(found).encode())
