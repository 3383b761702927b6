"""The page on a capture."""
from __future__ import annotations

import io
from html.parser import HTMLParser

import pytest

import tcpkit
from packets import MS, Conversation
from tcpkit.report import TOP, report_html


class Page(HTMLParser):
    """Text of the page and of its tables; fails on tags that are not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.text, self.tables, self.tags = [], [], [], set()
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag != "meta":
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open[-1:] in (["td"], ["th"]):
            self.tables[-1][-1][-1] += data


def conversations(n: int) -> bytes:
    """The first sends 100 bytes, the second 200 ...; every third repeats its last segment."""
    talk = Conversation()
    for at in range(n):
        talk.sport = 50000 + at
        talk.handshake().c("PA", 1, 1, 100 * (at + 1), dt=MS)
        if at % 3 == 0:
            talk.c("PA", 1, 1, 100 * (at + 1), dt=300 * MS)
        talk.s("A", 1, 1 + 100 * (at + 1), dt=MS)
    return talk.pcap(nano=True)


def report(data: bytes) -> Page:
    return Page(report_html(tcpkit.open(io.BytesIO(data))))


def test_the_page_tells_the_connections_and_lists_the_most_remarkable():
    page = report(conversations(14))
    assert "14 connections; handshakes: 14 complete" in page.text
    assert "sent again: 5 of 47 segments (10.64%)" in page.text
    busiest, repeating, slowest = page.tables
    sent = {at: 100 * (at + 1) * (2 if at % 3 == 0 else 1) for at in range(14)}
    assert [row[0] for row in busiest[1:]] == [str(at) for at in sorted(sent, key=sent.get, reverse=True)[:TOP]]
    assert sorted(row[0] for row in repeating[1:]) == sorted(["0", "3", "6", "9", "12"])
    assert len(slowest) == TOP + 1
    assert slowest[0][5:] == ["setup time, s", "initial rtt, s", "server rtt, s", "client rtt, s",
                              "syn retransmissions"]
    assert f"Stream {repeating[1][0]}" in page.text
    assert "svg" in page.tags


def test_a_capture_without_tcp_and_one_without_repeats():
    nothing = report(Conversation().raw(bytes(60)).pcap())
    assert nothing.tables == []
    assert "no connections" in nothing.text
    assert "%" not in nothing.text                 # of no segments
    page = report(Conversation().handshake().pcap())
    assert len(page.tables) == 1
    assert "1 connection; handshakes: 1 complete" in page.text


def test_a_flood_is_listed():
    talk = Conversation()
    for at in range(300):
        talk.client = f"10.1.{at // 200}.{at % 200 + 1}"
        talk.c("S", 0, dt=MS // 4).s("SA", 0, 1, dt=MS // 4)
    assert "syn_flood" in [row[0] for row in report(talk.pcap()).tables[-1]]


def test_damage_is_told_and_names_are_escaped(tmp_path):
    path = tmp_path / "<script>alert(1)<.pcap"
    path.write_bytes(conversations(3)[:-7])
    text = report_html(tcpkit.open(path))
    page = Page(text)
    assert "script" not in page.tags
    assert "&lt;script&gt;" in text
    assert any("What would mislead" in text for text in page.text)


def test_a_pipe_cannot_be_read_three_times():
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self._data = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self._data.readinto(buffer)

    with pytest.raises(tcpkit.CaptureError, match="only once"):
        report_html(tcpkit.open(Pipe(conversations(1))))
