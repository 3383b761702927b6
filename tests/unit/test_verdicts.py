"""Verdicts on conversations made by hand: the evidence in each leaves one answer."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from packets import MS, Conversation, timestamps
from talks import RTT, SIZE, Talk
from tcpcore.flags import Evidence, LossSide, RetransmissionCause, SegmentKind
from truth.score import CAPTURES

NONE, NEW, REORDERED, AGAIN, COPY, PROBE, _ = SegmentKind
CAUSE = RetransmissionCause

WITNESSES: list[dict[str, int]] = [
    {}, {"stamped": False}, {"counted": False}, {"ip": 6}, {"ip": 6, "stamped": False}]


@pytest.fixture(params=WITNESSES, ids=lambda given: ",".join(f"{k}={v}" for k, v in given.items()) or "all")
def talk(request) -> Talk:
    return Talk(**request.param).warm_up()


def test_in_order_is_new(talk: Talk) -> None:
    rows = talk.verdicts()
    assert list(rows["kind"][:3]) == [NEW, NEW, NONE]
    assert set(rows["kind"][3::2]) == {NEW}
    assert set(rows["kind"][4::2]) == {NONE}


def test_lost_behind_the_capture_point(talk: Talk) -> None:
    original = len(talk.frames) + 1
    for n in range(10, 14):
        talk.data(n)
    for k in range(3):
        talk.answer(10, RTT if k == 0 else MS, (11, 12 + k))
    row = talk.data(10, RTT // 2).verdicts()[-1]
    assert (row["kind"], row["cause"], row["repeats"]) == (AGAIN, CAUSE.CAUSE_FAST, original)
    assert row["loss_side"] == LossSide.LOSS_AFTER
    assert row["evidence"] & Evidence.SACK_GAP


def test_lost_before_the_capture_point(talk: Talk) -> None:
    for n in range(11, 14):
        talk.data(n)
    for k in range(3):
        talk.answer(10, RTT if k == 0 else MS, (11, 12 + k))
    row = talk.data(10, RTT // 2).verdicts()[-1]
    assert (row["kind"], row["cause"], row["repeats"]) == (AGAIN, CAUSE.CAUSE_FAST, 0)
    assert row["loss_side"] == LossSide.LOSS_BEFORE
    assert row["evidence"] & Evidence.FILLS_GAP


def test_overtaken(talk: Talk) -> None:
    stamp, talk.ident = talk.clock + 1, talk.ident + 1
    ident = talk.ident
    talk.data(11).data(12)
    row = talk.data(10, 3 * MS, stamp=stamp, ident=ident).verdicts()[-1]
    assert row["kind"] == REORDERED
    assert row["evidence"] & Evidence.OVERTAKEN

LATE_WITNESSES = [given for given in WITNESSES if given != {"ip": 6, "stamped": False}]      # these tell the order


@pytest.fixture(params=LATE_WITNESSES, ids=lambda given: ",".join(f"{k}={v}" for k, v in given.items()) or "all")
def late(request) -> tuple[Talk, list[dict[str, int]]]:
    """Segment 10 was sent three times, with these stamps and numbers; 11 and 12 were sent after the first of them."""
    talk = Talk(**request.param).warm_up()
    ident = talk.ident + 1
    sendings = [{"stamp": talk.clock + ms, "ident": ident + n} for n, ms in ((0, 1), (3, 41), (4, 81))]
    talk.ident = ident
    talk.data(11, 2 * MS).data(12).answer(10, RTT, (11, 13))
    talk.ident += 2
    return talk, sendings


def test_the_original_comes_after_a_part_of_it_was_sent_again(late) -> None:
    """Segments sent again may be cut otherwise: SACK blocks take room."""
    talk, (original, again, _) = late
    frame = len(talk.frames) + 1
    rows = talk.data(10, 41 * MS, size=600, **again).data(10, 10 * MS, **original).verdicts()[-2:]
    assert rows["kind"].tolist() == [AGAIN, REORDERED]
    assert rows["repeats"].tolist() == [frame + 1, 0]
    assert rows["cause"][0] == CAUSE.CAUSE_SPURIOUS


def test_the_original_comes_after_all_of_it_was_sent_again_in_parts(late) -> None:
    """It takes the place of both, so that what is sent after them repeats it."""
    talk, (original, again, once_more) = late
    talk.data(10, 41 * MS, size=600, **again)
    talk.c("A", 1 + 10 * SIZE + 600, 1, 400, dt=MS // 2, ip_fields=talk.fields(again["ident"]),
           options=timestamps(again["stamp"], talk.echo) if talk.stamped else b"")
    frame = len(talk.frames) + 1
    rows = talk.data(10, 10 * MS, **original).data(10, 30 * MS, **once_more).verdicts()[-4:]
    assert rows["kind"].tolist() == [AGAIN, AGAIN, REORDERED, AGAIN]
    assert rows["repeats"].tolist() == [frame, frame, 0, frame]
    assert rows["cause"][:2].tolist() == [CAUSE.CAUSE_SPURIOUS] * 2


def test_a_part_of_the_original_does_not_make_all_that_was_sent_again_needless(late) -> None:
    talk, (original, again, _) = late
    rows = talk.data(10, 41 * MS, **again).data(10, 10 * MS, size=600, **original).verdicts()[-2:]
    assert rows["kind"].tolist() == [AGAIN, REORDERED]
    assert rows["cause"][0] == CAUSE.CAUSE_FAST


def test_sent_again_twice_and_all_come_late(late) -> None:
    """An earlier retransmission is not the original because it comes after a later one."""
    talk, (original, again, once_more) = late
    talk.data(10, 81 * MS, **once_more).data(10, 10 * MS, **original)
    frame = len(talk.frames)
    rows = talk.data(10, 10 * MS, **again).verdicts()[-3:]
    assert rows["kind"].tolist() == [AGAIN, REORDERED, AGAIN]
    assert rows["repeats"][2] == frame


def test_retransmissions_that_overtake_each_other(late) -> None:
    """Sent after the next bytes were: no first transmission, though the capture never had that."""
    talk, (_, again, once_more) = late
    row = talk.data(10, 81 * MS, **once_more).data(10, 10 * MS, **again).verdicts()[-1]
    assert (row["kind"], row["repeats"]) == (AGAIN, 0)
    assert row["evidence"] & Evidence.OVERTAKEN


def test_late_ones_after_the_end(late) -> None:
    """Only packets sent again are remembered by then."""
    talk, (original, again, once_more) = late
    talk.data(10, 81 * MS, **once_more).answer(13, RTT)
    talk.c("FA", 1 + 13 * SIZE, 1, dt=MS, options=talk.opening()[-10:] if talk.stamped else b"",
           ip_fields=talk.fields(None))
    talk.s("FA", 1, 2 + 13 * SIZE, dt=RTT).c("A", 2 + 13 * SIZE, 2, dt=MS, ip_fields=talk.fields(None))
    rows = talk.data(10, 10 * MS, **original).data(10, 10 * MS, **again).verdicts()[-2:]
    assert rows["kind"].tolist() == [REORDERED, AGAIN]


def speak(*segments: tuple[float, int, int], stamps: bool = False) -> list[int]:
    """Kinds of a client's segments of 100 bytes on IPv6: milliseconds since the last, number, what it acknowledges.

    With ``stamps`` that is the time stamp.  The server answers half a millisecond later.
    """
    life, arrived = Conversation(), 1
    life.client, life.server = "fd09::1", "fd09::2"
    life.handshake(2 * MS, *(timestamps(1, 1) if stamps else b"",) * 2)
    for ms, seq, count in segments:
        acked, options = (1, timestamps(count, 1)) if stamps else (count, b"")
        life.c("A", seq, acked, 100, dt=int(ms * MS), options=options)
        arrived = max(arrived, seq + 100) if seq <= arrived else arrived
        life.s("A", acked, arrived, 0 if stamps else 500, dt=MS // 2, options=timestamps(1, count) if stamps else b"")
    return tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array["kind"][3::2].tolist()


def test_acknowledgement_numbers_tell_the_order_without_time_stamps() -> None:
    """A sender acknowledges ever more."""
    assert speak((1, 1, 1), (5, 201, 1001), (20, 101, 501)) == [NEW, NEW, REORDERED]
    assert speak((1, 1, 1), (5, 201, 501), (0.1, 101, 1001)) == [NEW, NEW, AGAIN]
    assert speak((1, 1, 1), (5, 201, 501), (1, 301, 1001), (20, 101, 501)) == [NEW, NEW, NEW, REORDERED]


def test_what_a_part_of_the_original_exposes_has_an_unknown_cause() -> None:
    """It had passed for a first transmission."""
    life = stamped((101, 1000, 500), (101, 600, 450))
    exposed = tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array[-2]
    assert (exposed["kind"], exposed["cause"], exposed["trigger"]) == (AGAIN, CAUSE.CAUSE_UNKNOWN, CAUSE.CAUSE_UNKNOWN)
    assert exposed["evidence"] == Evidence.ORIGINAL_LATE


def test_what_the_original_exposes_has_no_place_any_more() -> None:
    """Of two that came a place late the original has one."""
    life = stamped((1101, 100, 600), (101, 500, 500), (601, 500, 500), (101, 1000, 450))
    capture = tcpkit.open(io.BytesIO(life.pcap(nano=True)))
    assert capture.packets.array["kind"][-4:].tolist() == [NEW, AGAIN, AGAIN, REORDERED]
    rows = capture.reordering.array
    assert rows[["displacement", "segments"]].tolist() == [(-2, 1), (0, 2), (1, 1)]
    assert set(rows["too_late"]) == {0}


def stamped(*segments: tuple[int, int, int]) -> Conversation:
    """A client that sends these, number, length, and time stamp, after its first 100 bytes."""
    life = Conversation().handshake(2 * MS, timestamps(1, 1), timestamps(1, 1))
    life.c("A", 1, 1, 100, options=timestamps(2, 1)).s("A", 1, 101, options=timestamps(2, 2))
    for seq, length, stamp in segments:
        life.c("A", seq, 1, length, options=timestamps(stamp, 1))
    return life


def test_a_stamp_that_a_later_one_has_overtaken() -> None:
    """Also before the clock is known, and where what showed the gap bears the same."""
    assert speak((1, 1, 2), (5, 201, 3), (1, 301, 4), (20, 101, 3), stamps=True) == [NEW, NEW, NEW, REORDERED]
    assert speak((1, 1, 2), (5, 201, 3), (1, 301, 3), (20, 101, 3), stamps=True) == [NEW, NEW, NEW, AGAIN]


def test_a_late_copy_before_the_clock_is_known() -> None:
    """Its sender would have stamped it with a later time."""
    assert speak((1, 1, 2), (1, 101, 3), (5, 1, 2), stamps=True) == [NEW, NEW, AGAIN]
    assert speak((1, 1, 2), (4, 101, 6), (5, 1, 2), stamps=True) == [NEW, NEW, COPY]


def test_an_acknowledgement_that_comes_late_is_no_probe() -> None:
    """Its number is right below that behind the FIN, where keep-alives are; but these acknowledge all."""
    life = Conversation()
    life.client, life.server = "fd09::1", "fd09::2"
    life.handshake().c("PA", 1, 1, 100).s("PA", 1, 101, 50).c("FA", 101, 51).s("FA", 51, 102).c("A", 102, 52)
    probed = life.c("A", 101, 52, dt=300 * MS).pcap(nano=True)
    life.frames.pop()
    late = life.c("A", 101, 51).pcap(nano=True)
    kinds = [tcpkit.open(io.BytesIO(capture)).packets.array["kind"][-1] for capture in (probed, late)]
    assert kinds == [PROBE, NONE]


def test_a_keep_alive_is_no_sooner_than_a_timeout() -> None:
    """The last acknowledgement, overtaken by the FIN that bears the same stamp; the IP IDs do not count."""
    for ms, kind in ((30, NONE), (300, PROBE)):
        life, stamps = Conversation(), timestamps(1, 1)
        life.client, life.server = "fd09::1", "fd09::2"
        life.handshake(2 * MS, stamps, stamps).c("PA", 1, 1, 100, options=stamps).s("A", 1, 101, options=stamps)
        life.s("FA", 1, 101, options=stamps).c("FA", 101, 2, options=stamps).s("A", 2, 102, options=stamps)
        life.c("A", 101, 2, dt=ms * MS, options=stamps)
        assert tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array["kind"][-1] == kind


def test_half_a_round_trip_is_none() -> None:
    """Close to the receiver, midstream: its own leg is short, that to the sender is not known."""
    life = Conversation()
    life.client, life.server = "fd09::1", "fd09::2"
    for n in range(5):
        life.c("A", 1 + n * SIZE, 1, SIZE).s("A", 1, 1 + (n + 1) * SIZE, dt=50_000)
    life.c("A", 1 + 6 * SIZE, 1, SIZE).s("A", 1, 1 + 5 * SIZE, dt=50_000)
    life.c("A", 1 + 5 * SIZE, 1, SIZE, dt=2 * MS)
    assert tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array["kind"][-1] == REORDERED


def test_copy_made_by_the_path(talk: Talk) -> None:
    talk.data(10)
    stamp, original = talk.clock, len(talk.frames)
    row = talk.data(10, MS, stamp=stamp, ident=talk.ident).verdicts()[-1]
    assert (row["kind"], row["repeats"]) == (COPY, original)


def test_a_copy_of_a_packet_that_receive_offload_had_joined(talk: Talk) -> None:
    """Sent again it would bear a later number, or come a round trip later."""
    talk.data(10, size=3 * SIZE)                  # more than the default MSS (RFC 9293 section 3.7.1)
    stamp, ident = talk.clock, talk.ident + 1
    original, talk.ident = len(talk.frames), talk.ident + 2
    row = talk.data(11, 5 * MS, stamp=stamp, ident=ident).verdicts()[-1]
    assert (row["kind"], row["repeats"]) == (COPY, original)
    assert talk.data(11, 2 * RTT).verdicts()["kind"][-1] == AGAIN


def test_a_packet_seen_on_both_sides_of_a_router() -> None:
    """However short the round trips are: one tick of its sender's clock, two hop limits."""
    seen = Conversation()
    seen.client, seen.server = "fd09::1", "fd09::2"
    for send, flags, acked in ((seen.c, "S", None), (seen.s, "SA", 1), (seen.c, "A", 1)):
        for hops in (64, 63):
            send(flags, int(flags == "A"), acked, dt=3000, options=timestamps(7, 7), ip_fields={"hop_limit": hops})
    seen.c("A", 1, 1, 100, options=timestamps(8, 7)).s("A", 1, 101, dt=1000, options=timestamps(8, 8))
    for hops in (64, 63, 64, 63):                # the last two: sent again within the tick
        seen.c("A", 101, 1, 100, dt=30_000, options=timestamps(9, 8), ip_fields={"hop_limit": hops})
    rows = tcpkit.open(io.BytesIO(seen.pcap(nano=True))).packets.array
    assert rows["kind"].tolist() == [NEW, COPY, NEW, COPY, 0, 0, NEW, 0, NEW, COPY, AGAIN, COPY]


def test_timeouts_are_counted(talk: Talk) -> None:
    for n in range(10, 13):
        talk.data(n)
    talk.data(10, 300 * MS).data(10, 600 * MS).data(10, 1200 * MS)
    rows = talk.verdicts()[-3:]
    assert list(rows["kind"]) == [AGAIN] * 3
    assert list(rows["trigger"]) == [CAUSE.CAUSE_TIMEOUT] * 3
    assert list(rows["backoff"]) == [1, 2, 3]


def test_a_syn_that_nobody_answers() -> None:
    life = Conversation()
    for number, waited in enumerate((0, 1000 * MS, 2000 * MS)):
        life.c("S", 0, dt=waited, ip_fields={"ident": 7 + number})
    rows = tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array
    assert list(rows["kind"]) == [NEW, AGAIN, AGAIN]
    assert list(rows["cause"][1:]) == [CAUSE.CAUSE_SYN] * 2
    assert (list(rows["backoff"][1:]), list(rows["repeats"][1:])) == ([1, 2], [1, 1])


def test_a_syn_whose_ip_id_may_be_anything() -> None:
    """RFC 6864 section 4.1: a lower number, far from the first, does not tell that it was sent before."""
    life = Conversation()
    life.c("S", 0, ip_fields={"ident": 40000}).c("S", 0, dt=1000 * MS, ip_fields={"ident": 20000})
    rows = tcpkit.open(io.BytesIO(life.pcap(nano=True))).packets.array
    assert rows["kind"].tolist() == [NEW, AGAIN]


def test_a_clock_set_back_measures_nothing() -> None:
    """An answer seen before what it answers is no round trip of no time: the path may still make copies."""
    talk = Talk(ip=6, stamped=False).warm_up()
    talk.data(10).time -= 2000 * MS
    talk.answer(11, RTT).data(11)
    assert talk.data(11, 25 * MS).verdicts()["kind"][-1] == COPY


def test_a_fin_that_nobody_answers(talk: Talk) -> None:
    talk.data(10, size=0, flags="FA")
    original = len(talk.frames)
    row = talk.data(10, 300 * MS, size=0, flags="FA").verdicts()[-1]
    assert (row["kind"], row["cause"], row["repeats"]) == (AGAIN, CAUSE.CAUSE_FIN, original)


def test_what_comes_after_the_end() -> None:
    """By then only the last segments of both ends are remembered."""
    talk = Talk().warm_up()
    talk.data(10, size=0, flags="FA")
    finish = talk.ident
    talk.time += RTT
    talk.s("FA", 1, 10 * SIZE + 2, dt=0, options=timestamps(talk.clock, talk.clock - 40), ip_fields=talk.fields(None))
    talk.c("A", 10 * SIZE + 2, 2, options=timestamps(talk.clock, talk.clock), ip_fields=talk.fields(None))
    stamp = talk.clock
    talk.data(9, MS, stamp=stamp - 200, ident=finish - 2)                      # older than what was sent last
    talk.data(8, 300 * MS)
    talk.data(10, 300 * MS, size=0, flags="FA")
    rows = talk.verdicts()[-3:]
    assert rows["kind"].tolist() == [COPY, AGAIN, AGAIN]
    assert rows["confidence"].tolist()[0] == 75                                # no other is on record
    assert rows["cause"].tolist() == [CAUSE.CAUSE_NONE, CAUSE.CAUSE_SPURIOUS, CAUSE.CAUSE_SPURIOUS]
    assert rows["trigger"].tolist()[2] == CAUSE.CAUSE_FIN
    assert rows["repeats"].tolist()[2] == len(talk.frames) - 5


def test_smaller_pieces_of_what_never_got_through(talk: Talk) -> None:
    """RFC 1191: a router asked for smaller packets; none as large as these had been acknowledged."""
    for at in range(3):
        talk.data(10, size=1400) if at == 0 else talk.c("A", 1 + 10 * SIZE + at * 1400, 1, 1400, dt=MS)
    row = talk.data(10, RTT, size=500).verdicts()[-1]
    assert (row["kind"], row["cause"]) == (AGAIN, CAUSE.CAUSE_PATH_MTU)
    assert row["evidence"] & Evidence.SMALLER


def test_keep_alive_is_a_probe(talk: Talk) -> None:
    talk.c("A", talk.frames and 10 * SIZE, 1, dt=1000 * MS)
    assert talk.verdicts()["kind"][-1] == PROBE


def test_copies_of_probes(talk: Talk) -> None:
    """RFC 9293 section 3.8.4: a keep-alive comes after silence, so what follows it at once is the path's copy."""
    for _ in range(2):
        talk.time += 1000 * MS
        options = timestamps(talk.clock, talk.echo) if talk.stamped else b""
        fields = talk.fields(None)
        for _ in range(2):
            talk.c("A", 10 * SIZE, 1, dt=MS, options=options, ip_fields=fields)
    rows, frames = talk.verdicts()[-4:], len(talk.frames)
    assert rows["kind"].tolist() == [PROBE, COPY, PROBE, COPY]
    assert rows["repeats"][1::2].tolist() == [frames - 3, frames - 1]


def test_dsack_shows_a_needless_one() -> None:
    talk = Talk().warm_up()
    talk.data(10)
    talk.data(10, 300 * MS)
    assert talk.verdicts()["cause"][-1] == CAUSE.CAUSE_TAIL_LOSS_PROBE
    talk.answer(11, RTT, (10, 11))
    row = talk.verdicts()[-2]
    assert row["cause"] == CAUSE.CAUSE_SPURIOUS
    assert row["trigger"] == CAUSE.CAUSE_TAIL_LOSS_PROBE
    assert row["evidence"] & Evidence.DSACK
    assert row["loss_side"] == LossSide.LOSS_NONE


def test_evidence_in_words() -> None:
    talk = Talk().warm_up()
    talk.data(10)
    talk.data(10, 300 * MS)
    packets = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).packets
    line = packets[-1:].to_text("fields", ["kind", "evidence"], head=False)
    assert line == b"retransmission\tby_timestamp+after_silence+at_tail\n"


def words(talk: Talk) -> list[str]:
    return tcpkit.open(io.BytesIO(talk.pcap(nano=True))).packets["verdict_text"].tolist()


def test_verdicts_in_words() -> None:
    talk = Talk().warm_up()
    talk.data(10)
    again = f"retransmission of #{len(talk.frames)} after"
    talk.data(10, 300 * MS).data(10, 600 * MS).data(10, 1200 * MS)
    lost, why = "original was lost after the capture point", "order of time stamps, after silence, last bytes sent"
    assert words(talk)[-4:] == [
        None, f"{again} 300 ms: tail loss probe; {lost} ({why})", f"{again} 900 ms: timeout; {lost} ({why})",
        f"{again} 2100 ms: timeout, 2nd; {lost} ({why})"]
    talk.answer(11, RTT, (10, 11))
    assert words(talk)[-2:] == [f"{again} 2100 ms: timeout, 2nd; needless ({why}, D-SACK)", None]


def test_the_packet_list_says_the_verdict(cli, tmp_path) -> None:
    talk = Talk().warm_up()
    talk.data(10).data(10, 300 * MS)
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.pcap(nano=True))
    *_, first, again = cli("packets", path).out.decode().splitlines()
    assert "retransmission" not in first
    assert again.endswith(words(talk)[-1])
    assert f"  retransmission of #{len(talk.frames) - 1} after 300 ms: tail loss probe; " in again


def test_figures_of_a_direction() -> None:
    talk = Talk().warm_up()
    talk.data(11).data(12)
    talk.data(10, 5 * MS, stamp=talk.clock - 7, ident=talk.ident - 2)          # overtaken by two
    talk.answer(13, RTT)
    for n in range(13, 17):
        talk.data(n)
    talk.answer(13, RTT, (14, 17)).data(13, RTT // 2).answer(17, RTT)
    client = tcpkit.open(io.BytesIO(talk.pcap(nano=True))).directions[0]
    assert client["judged_segments"] == 1 + 10 + 3 + 5
    assert (client["reordered"], client["reordering_extent"]) == (1, 2)
    assert client["reordering_delay"] == np.timedelta64(6 * MS, "ns")
    assert [client[name] for name in ("sent_again", "sent_fast", "lost_after_capture", "recoveries")] == [1] * 4
    assert client["true_loss_rate"] == 1 / 19
    assert (client["recovery_time"], client["timeout_time"]) == (np.timedelta64(RTT, "ns"), np.timedelta64(0, "ns"))


@pytest.mark.parametrize("name", ["exchanges.rcv", "bulk-burst.snd", "heavy-reorder.rcv", "outage.snd"])
def test_figures_are_those_of_the_packets(name: str) -> None:
    capture = tcpkit.open(CAPTURES / f"{name}.pcap")
    rows, directions = capture.packets.array, capture.directions.array
    for direction in directions:
        own = rows[(rows["stream"] == direction["stream"]) & (rows["direction"] == direction["direction"])]
        again = own[own["kind"] == AGAIN]
        assert direction["judged_segments"] == (own["kind"] != NONE).sum()
        assert direction["reordered"] == (own["kind"] == REORDERED).sum()
        assert direction["network_duplicates"] == (own["kind"] == COPY).sum()
        assert direction["sent_again"] == len(again)
        assert direction["sent_needlessly"] == (again["cause"] == CAUSE.CAUSE_SPURIOUS).sum()
        assert direction["timeouts"] == (again["trigger"] == CAUSE.CAUSE_TIMEOUT).sum()
        assert direction["lost_before_capture"] == (again["loss_side"] == LossSide.LOSS_BEFORE).sum()
        assert direction["lost_after_capture"] == (again["loss_side"] == LossSide.LOSS_AFTER).sum()
