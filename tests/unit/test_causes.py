"""What a sender had to go by when it sent again, and what later segments show of that."""
from __future__ import annotations

import io

import pytest

import tcpkit
from packets import MS, SACK_PERMITTED, Conversation, sack, timestamps
from talks import RTT, SIZE, Talk
from tcpcore.flags import Evidence, RetransmissionCause, SegmentKind

_, NEW, REORDERED, AGAIN, COPY, *_ = SegmentKind
FAST, TIMEOUT = RetransmissionCause.CAUSE_FAST, RetransmissionCause.CAUSE_TIMEOUT
SPURIOUS = RetransmissionCause.CAUSE_SPURIOUS


def lossy(first: int = 10, after: int = 20) -> Talk:
    """Segments ``first`` to ``after`` - 1 are out, the first two were lost, and the sender knows."""
    talk = Talk().warm_up()
    for n in range(first, after):
        talk.data(n)
    talk.time += RTT - 10 * MS
    for n in range(first + 3, after + 1):
        talk.answer(first, MS, (first + 2, n))
    return talk


def test_a_timeout_begins_at_the_first_byte_not_acknowledged() -> None:
    """RFC 6298 section 5.4; what is sent after a long silence, but from further on, is a recovery that goes on."""
    talk = lossy().data(10)
    talk.data(11, 500 * MS)
    assert talk.verdicts()["trigger"][-2:].tolist() == [FAST, FAST]
    talk.data(10, 500 * MS)
    assert talk.verdicts()["trigger"][-1] == TIMEOUT


def test_a_pause_is_told_by_the_clock_of_the_sender() -> None:
    """The path, not the sender, held both packets for a second."""
    talk = lossy().data(10)
    talk.data(11, 1000 * MS, stamp=talk.clock + 1)
    row = talk.verdicts()[-1]
    assert row["trigger"] == FAST
    assert not row["evidence"] & Evidence.AFTER_SILENCE


def test_no_timeout_within_the_shortest_one() -> None:
    assert lossy().data(10).data(10, 150 * MS).verdicts()["trigger"][-1] == FAST
    assert lossy().data(10).data(10, 300 * MS).verdicts()["trigger"][-1] == TIMEOUT


def test_sent_again_after_a_timeout_and_lost_again() -> None:
    """The receiver shows so, and the sender need not wait for another timeout (RFC 8985)."""
    talk = Talk().warm_up()
    for n in range(10, 16):
        talk.data(n)
    talk.data(10, 300 * MS).answer(11, RTT)
    for n in range(11, 15):
        talk.data(n)
    talk.answer(11, RTT, (12, 13)).answer(11, MS, (12, 14)).answer(11, MS, (12, 15))
    talk.data(11, RTT // 2).data(15)
    assert talk.verdicts()["trigger"][-2:].tolist() == [FAST, FAST]


def test_a_timeout_gives_up_what_was_sent_again_before_it() -> None:
    """The receiver still shows it missing, but that is no second loss since."""
    talk = Talk().warm_up()
    for n in range(10, 16):
        talk.data(n)
    talk.data(10, 300 * MS).data(10, 600 * MS, size=SIZE // 2)                # the second timeout: smaller
    middle = 10 * SIZE + SIZE // 2
    talk.s("A", 1, 1 + middle, dt=RTT, options=timestamps(talk.clock, talk.clock - 40) + b"\1\1"
           + sack((talk.client_isn + 1 + 14 * SIZE, talk.client_isn + 1 + 15 * SIZE)))
    talk.c("A", 1 + middle, 1, SIZE // 2, dt=RTT // 2, options=timestamps(talk.clock, talk.echo))
    talk.data(11)
    assert talk.verdicts()["trigger"][-2:].tolist() == [TIMEOUT, TIMEOUT]


def test_a_tail_loss_probe_before_the_clock_has_a_rate() -> None:
    """Nothing new was heard since the answer it echoes; the whole connection is younger than 20 ms."""
    young = Conversation()
    opening = SACK_PERMITTED + timestamps(1, 1)
    young.handshake(20_000, opening, opening)
    young.c("A", 1, 1, SIZE, dt=10_000, options=timestamps(2, 1)).s("A", 1, 1 + SIZE, dt=10_000,
                                                                    options=timestamps(2, 2))
    young.c("A", 1 + SIZE, 1, SIZE, dt=10_000, options=timestamps(2, 2))
    young.c("A", 1 + SIZE, 1, SIZE, dt=4 * MS, options=timestamps(6, 2))
    rows = tcpkit.open(io.BytesIO(young.pcap(nano=True))).packets.array
    assert rows["trigger"][-1] == RetransmissionCause.CAUSE_TAIL_LOSS_PROBE


def test_a_tail_loss_probe_of_what_has_arrived() -> None:
    """RFC 8985 section 7.3: the last bytes sent, whether SACKed or not; nobody asks for those again."""
    talk = Talk().warm_up()
    talk.data(10).data(11).answer(10, RTT, (11, 12))
    row = talk.data(11, 120 * MS).verdicts()[-1]
    assert (row["trigger"], row["cause"]) == (RetransmissionCause.CAUSE_TAIL_LOSS_PROBE, SPURIOUS)


def test_a_round_trip_of_an_original_that_was_sent_again() -> None:
    """RFC 7323 section 4.1: the echo tells which was answered.  What the client took to speak is no round trip."""
    life = Conversation()
    life.c("S", 0, options=SACK_PERMITTED + timestamps(1))
    for number in range(2):
        life.s("SA", 0, 1, dt=2 * MS, options=SACK_PERMITTED + timestamps(100 + 2 * number, 1))
    life.c("A", 1, 1, dt=20 * MS, options=timestamps(24, 100)).c("A", 1, 1, 100, options=timestamps(24, 100))
    life.s("A", 1, 101, options=timestamps(124, 24)).c("A", 101, 1, 100, dt=470 * MS, options=timestamps(494, 124))
    life.s("A", 1, 201, options=timestamps(594, 494)).s("A", 1, 201, 5, options=timestamps(594, 494))
    life.s("A", 1, 201, 5, dt=220 * MS, options=timestamps(814, 494))
    rows = tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array
    assert rows["trigger"][-1] == RetransmissionCause.CAUSE_TAIL_LOSS_PROBE


def test_what_was_lost_above_a_timeout() -> None:
    """The capture point is behind the loss: only what comes next shows how much was out."""
    talk = Talk().warm_up()
    talk.data(10).data(11)
    talk.data(10, 500 * MS).answer(12, RTT).data(16, RTT // 2).answer(12, RTT, (16, 17))
    for n in range(12, 16):
        talk.data(n, MS if n > 12 else RTT // 2)
    rows = talk.verdicts()
    assert rows["kind"][-4:].tolist() == [AGAIN] * 4
    assert rows["trigger"][-4:].tolist() == [TIMEOUT] * 4


def after_outage(between: int = 0, **witness: bool) -> Talk:
    """Segments 10 to 19 were lost before the capture point, then 10 came alone; 20 shows that more is missing.

    The sender had sent ``between`` packets in the meantime.
    """
    talk = Talk(**witness).warm_up()
    talk.ident += 10
    talk.data(10, 500 * MS).answer(11, RTT)
    talk.ident += between
    return talk.data(20, RTT // 2)


@pytest.mark.parametrize(("witness", "trigger"), [
    ({}, TIMEOUT), ({"between": 8}, FAST), ({"counted": False}, TIMEOUT),
    ({"stamped": False}, TIMEOUT), ({"stamped": False, "counted": False}, TIMEOUT)], ids=str)
def test_the_first_after_an_outage(witness: dict[str, int], trigger: int) -> None:
    """It looks new, but what comes next is from so far on that a timer must have sent it."""
    talk = after_outage(**witness)
    rows = talk.answer(11, MS, (20, 21)).data(11, RTT).data(12).verdicts()
    assert rows["trigger"][-2:].tolist() == [trigger] * 2


def test_a_burst_behind_a_pause() -> None:
    """Its second segment was lost on the way: no round trip lies between the others."""
    talk = Talk(counted=False).warm_up().data(10, 500 * MS).data(12)
    rows = talk.answer(11, RTT).answer(11, MS, (12, 13)).data(11, RTT).verdicts()
    assert rows["trigger"][-1] == FAST


def test_a_timeout_whose_answer_was_lost() -> None:
    """It runs out again, needlessly this time, but what was lost before is still lost."""
    talk = Talk().warm_up()
    talk.data(10, 500 * MS).answer(11, RTT).data(10, 600 * MS).answer(11, RTT).data(20, RTT // 2)
    rows = talk.answer(11, MS, (20, 21)).data(11, RTT).verdicts()
    assert rows["trigger"][-1] == TIMEOUT


def test_only_the_second_timeout_was_needless() -> None:
    """The answer to the first was late; the recovery goes on."""
    talk = Talk().warm_up()
    for n in range(10, 16):
        talk.data(n)
    first = talk.data(10, 300 * MS).clock
    talk.data(10, 600 * MS).answer(11, MS, echo=first).data(16, RTT)
    talk.answer(11, RTT, (16, 17)).data(11, RTT // 2)
    assert talk.verdicts()["trigger"][-1] == TIMEOUT


def test_a_timeout_that_its_sender_finds_needless() -> None:
    """RFC 5682 section 3.1: the answer tells of a segment that was sent once, before the timeout."""
    for block, trigger in (((14, 15), FAST), ((16, 17), TIMEOUT)):
        talk = Talk().warm_up()
        for n in range(10, 16):
            talk.data(n)
        talk.data(10, 300 * MS).data(16).answer(11, RTT, block).data(11, RTT)
        assert talk.verdicts()["trigger"][-1] == trigger


def test_fewer_duplicates_than_three_ask_for_nothing() -> None:
    """RFC 5681 section 3.2; the peer goes on sending, so that silence does not tell of the timer."""
    for duplicates, trigger in ((2, TIMEOUT), (3, FAST)):
        talk = Talk(sacks=False).warm_up()
        for n in range(10, 15):
            talk.data(n)
        for _ in range(duplicates):
            talk.answer(10, RTT // 4)
        talk.s("A", 1, 1 + 10 * SIZE, 100, dt=300 * MS, options=timestamps(talk.clock + 300, talk.clock))
        talk.echo = talk.clock
        assert talk.data(10, RTT // 2).verdicts()["trigger"][-1] == trigger


def test_close_to_the_sender_news_is_known_at_once() -> None:
    """Faster than it answered in the handshake."""
    life = Conversation()
    life.c("S", 0, options=SACK_PERMITTED).s("SA", 0, 1, dt=100 * MS, options=SACK_PERMITTED).c("A", 1, 1, dt=MS // 2)
    for n in range(4):
        life.c("A", 1 + n * SIZE, 1, SIZE, dt=1000)
    edges = [life.client_isn + 1 + n * SIZE for n in (4, 5)]
    life.c("A", 1 + 4 * SIZE, 1, SIZE, dt=400 * MS).s("A", 1, 1, dt=100 * MS, options=b"\1\1" + sack(tuple(edges)))
    life.c("A", 1, 1, SIZE, dt=MS // 10)
    rows = tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array
    assert rows["trigger"][-1] == FAST


def test_an_acknowledgement_shows_what_is_missing_before_it() -> None:
    """A FIN that the empty segment behind it overtook, within one step of the clock."""
    talk = Talk(counted=False).warm_up()
    stamp = talk.clock
    talk.c("A", 10 * SIZE + 2, 1, options=timestamps(stamp, talk.echo))
    row = talk.data(10, MS // 2, size=0, flags="FA", stamp=stamp).verdicts()[-1]
    assert row["kind"] == REORDERED


def test_a_syn_is_repeated_by_timer_only() -> None:
    """Two within 150 ms are one, copied on its way; nothing else is known of the path yet."""
    for apart, kind in ((150 * MS, COPY), (1000 * MS, AGAIN)):
        opening = Conversation()
        opening.c("S", 0, ip_fields={"ident": 0}).c("S", 0, dt=apart, ip_fields={"ident": 0})
        assert tcpkit.open(io.BytesIO(opening.pcap(nano=True))).packets.array["kind"][-1] == kind


def test_a_dsack_for_a_part_of_a_packet() -> None:
    """The other part was lost, and so the packet was needed."""
    for part, cause in ((SIZE // 2, FAST), (SIZE, SPURIOUS)):
        talk = lossy().data(10)
        again = len(talk.frames)
        left = talk.client_isn + 1 + 10 * SIZE
        stamps = timestamps(talk.clock, talk.clock)
        talk.s("A", 1, 1 + 20 * SIZE, dt=RTT, options=stamps + b"\1\1" + sack((left, left + part)))
        assert talk.verdicts()["cause"][again - 1] == cause


def test_the_answer_that_echoes_a_packet_is_not_too_early() -> None:
    """However long other round trips took."""
    for echo, cause in ((0, FAST), (-1, SPURIOUS)):
        talk = Talk().warm_up()
        for n in range(10, 20):
            talk.data(n)
        talk.answer(12, RTT, (13, 20)).data(12, RTT // 2)
        again, stamp = len(talk.frames), talk.clock
        talk.answer(20, RTT // 8, echo=stamp + echo)
        assert talk.verdicts()["cause"][again - 1] == cause


@pytest.mark.parametrize("captured", [92, 200])
def test_sack_blocks_cut_off_behind_their_left_edge(captured: int) -> None:
    """IPv6 with time stamps: 92 bytes end amid the first block."""
    talk = Talk(ip=6).warm_up()
    for n in range(10, 14):
        talk.data(n)
    talk.answer(10, RTT, (11, 12)).answer(10, MS, (11, 13)).data(10, RTT)
    row = talk.verdicts(captured)[-1]
    assert row["trigger"] == FAST
    assert row["evidence"] & Evidence.SACK_GAP


def test_a_late_original_of_what_was_forgotten() -> None:
    """Its retransmission, which the capture saw first, tells it from a copy."""
    talk = Talk().warm_up()
    stamp, ident = talk.clock, talk.ident + 1
    talk.ident += 1
    for n in range(11, 14):
        talk.data(n)
    talk.answer(10, RTT, (11, 14)).data(10, RTT // 2)
    again = len(talk.frames)
    for n in range(14, 600):
        talk.data(n).answer(n + 1)
    rows = talk.data(10, MS, stamp=stamp, ident=ident).verdicts()
    assert rows["kind"][-1] == REORDERED
    assert rows["cause"][again - 1] == SPURIOUS
