"""A connection as a ladder, in the terminal and as a picture."""
from __future__ import annotations

import io
from xml.etree import ElementTree

import pytest

import tcpkit
from packets import MS, Conversation, Frame, ethernet, ipv4
from tcpkit.ladder import Fold, Step, build_ladder
from tcpkit.ladder_svg import ladder_svg
from tcpkit.ladder_text import ladder_lines


def ladder(talk: Conversation, **options):
    return build_ladder(tcpkit.open(io.BytesIO(talk.pcap(nano=True))), 0, **options)


def transfer(segments: int) -> Conversation:
    talk = Conversation().handshake()
    for at in range(segments):
        talk.c("PA", 1 + 100 * at, 1, 100, dt=MS).s("A", 1, 101 + 100 * at, dt=MS)
    end = 1 + 100 * segments
    return talk.c("FA", end, 1).s("FA", 1, end + 1).c("A", end + 1, 2)


def test_a_long_transfer_is_folded_and_nothing_is_lost_count_of():
    drawn = ladder(transfer(500))
    folds = [item for item in drawn.items if isinstance(item, Fold)]
    steps = [item for item in drawn.items if isinstance(item, Step)]
    assert len(folds) == 1
    assert len(steps) < 15
    assert folds[0].segments + len(steps) == 1006
    inside = 100 * folds[0].client[0], 0
    assert (folds[0].client[1], folds[0].server[1]) == inside
    assert len(ladder(transfer(500), everything=True).items) == 1006


def test_what_stands_out_is_shown_within_the_fold():
    talk = Conversation().handshake()
    for at in range(60):
        talk.c("PA", 1 + 100 * at, 1, 100, dt=MS).s("A", 1, 101 + 100 * at, dt=MS)
    talk.c("PA", 5901, 1, 100, dt=400 * MS)
    for at in range(60, 120):
        talk.c("PA", 1 + 100 * at, 1, 100, dt=MS).s("A", 1, 101 + 100 * at, dt=MS)
    drawn = ladder(talk)
    verdicts = [item.verdict for item in drawn.items if isinstance(item, Step) and item.verdict]
    assert len(verdicts) == 1
    assert verdicts[0].startswith("retransmission of #")
    assert sum(isinstance(item, Fold) for item in drawn.items) == 2


def test_what_icmp_quotes_is_told_and_not_folded():
    talk = transfer(300)
    quoted = next(frame for frame in talk.frames[200:] if len(frame.data) > 100)
    error = b"\x03\x04\0\0\0\0\x05\x78" + quoted.data[14:54]
    talk.frames.insert(400, Frame(talk.frames[400].time, ethernet(ipv4("10.0.9.9", "10.0.0.1", error, 1)), 82))
    steps = {item.frame: item for item in ladder(talk).items if isinstance(item, Step)}
    assert steps[401].notes == ("quoted by ICMP",)


def test_the_terminal_shows_arrows_numbers_and_states():
    lines = [line.plain for line in ladder_lines(ladder(transfer(1)), 120)]
    assert "Stream 0  10.0.0.1:50000 → 10.0.0.2:60000" in lines[0]
    opening = lines[4]
    assert "SYN-SENT │" in opening
    assert " SYN Seq=0 Len=0 Win=65535 MSS=1460 " in opening
    assert opening.rstrip().endswith("▶│ SYN-RECEIVED")
    assert "◀" in lines[5]
    assert max(map(len, lines)) <= 120
    assert not any(line.endswith(" ") for line in lines)


def test_only_what_is_said_beside_the_arrows_is_dim():
    step = ladder_lines(ladder(transfer(1)), 120)[4]
    assert step.style == ""
    assert [step.plain[span.start:span.end].strip() for span in step.spans if span.style == "dim"] == ["1", "0.000"]


def test_the_picture_is_whole_xml_and_says_the_same():
    drawn = ladder(transfer(300))
    texts = list(ElementTree.fromstring(ladder_svg(drawn)).itertext())
    assert "SYN, ACK" in texts
    assert [text for text in texts if text.startswith("TIME-WAIT")]
    assert any("segments in" in text for text in texts)


def test_ipv6_ends_have_brackets():
    drawn = ladder(Conversation(client="fd00::1", server="fd00::2").handshake())
    line = ladder_lines(drawn, 120)[0].plain
    assert line == "Stream 0  [fd00::1]:50000 → [fd00::2]:60000"
    assert "[fd00::1]:50000" in ladder_svg(drawn)


def test_text_is_escaped():
    drawn = ladder(transfer(1))
    hostile = drawn._replace(flow={**drawn.flow, "client": "<script>&"})
    assert "<script>" not in ladder_svg(hostile)
    ElementTree.fromstring(ladder_svg(hostile))


@pytest.mark.parametrize("stream", [7, 1 << 32])
def test_no_such_stream(stream):
    with pytest.raises(IndexError, match=f"there is no stream {stream}"):
        build_ladder(tcpkit.open(io.BytesIO(transfer(1).pcap())), stream)
