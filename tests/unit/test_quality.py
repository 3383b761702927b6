"""What in a capture would mislead: each flaw made by hand, and its absence from a capture without it."""
from __future__ import annotations

import io
import random
import struct

import pytest

import tcpkit
from packets import MS, T0, Conversation, Frame, checksum, ethernet, ip, ipv4, mss, pcap, tcp

S = 1_000 * MS


def flaws(conversation_or_frames, **fields):
    frames = getattr(conversation_or_frames, "frames", conversation_or_frames)
    found = tcpkit.open(io.BytesIO(pcap([summed(frame) for frame in frames], nano=True, **fields))).quality
    return {flaw.kind: flaw for flaw in found}


def summed(frame: Frame) -> Frame:
    """With a right TCP checksum, if it is a plain IPv4 packet without one."""
    data = frame.data
    if data[12:14] != b"\x08\x00" or data[23] != 6 or data[50:52] != b"\0\0" or frame.wire_len != len(data):
        return frame
    length = struct.unpack(">H", data[16:18])[0] - 20
    pseudo = data[26:34] + struct.pack(">HH", 6, length)
    return Frame(frame.time, data[:50] + struct.pack(">H", checksum(pseudo + data[34:34 + length])) + data[52:],
                 frame.wire_len)


def transfer(n=20):
    talk = Conversation().handshake()
    for i in range(n):
        talk.c("PA", 1 + 1000 * i, 1, 1000, dt=MS, ip_fields={"ident": 100 + i})
        talk.s("A", 1, 1001 + 1000 * i, dt=MS, ip_fields={"ident": 700 + i})
    return talk


def test_a_good_capture_has_no_flaw():
    assert flaws(transfer()) == {}


class TestClock:
    def test_a_step_back(self):
        frames = transfer().frames
        for frame in frames[20:]:
            frame.time -= 5 * S
        flaw = flaws(frames)["clock_step"]
        assert (flaw.count, flaw.total, flaw.examples) == (1, 43, (21,))
        assert "4,999 ms" in flaw.what

    def test_frames_out_of_order(self):
        frames = transfer().frames
        frames[10], frames[11] = frames[11], frames[10]
        found = flaws(frames)
        assert found["out_of_order"].examples == (12,)
        assert "clock_step" not in found


class TestCut:
    def test_payload(self):
        talk = transfer()
        talk.c("PA", 20001, 1, 500, snap=100).c("PA", 20501, 1, 500, snap=90)
        flaw = flaws(talk)["cut_frames"]
        assert (flaw.count, flaw.examples) == (2, (44, 45))
        assert "90 to 100 bytes" in flaw.what
        assert flaw.consequence.startswith("2 segments lack payload")

    def test_header(self):
        talk = transfer().c("A", 20001, 1, 100, snap=44)
        assert flaws(talk)["cut_headers"].examples == (44,)


class TestDuplicates:
    def copy(self, talk, change=lambda data: data, after=20_000):
        out = []
        for frame in map(summed, talk.frames):
            data = change(frame.data)
            out += [frame, Frame(frame.time + after, data, len(data))]
        return out

    def test_a_mirror_that_shows_packets_twice(self):
        flaw = flaws(self.copy(transfer()))["duplicates"]
        assert flaw.count == 43
        assert "0 with another TTL" in flaw.what

    def test_a_routed_copy_has_another_ttl(self):
        flaw = flaws(self.copy(transfer(), lambda data: data[:22] + b"\x3f" + data[23:]))["duplicates"]
        assert "43 with another TTL" in flaw.what

    def test_a_copy_with_a_vlan_tag(self):
        flaw = flaws(self.copy(transfer(), lambda data: data[:12] + b"\x81\0\0\x07" + data[12:]))["duplicates"]
        assert (flaw.count, "43 with another TTL" in flaw.what) == (43, True)

    def test_retransmissions_are_none(self):
        talk = transfer()
        for _ in range(5):
            talk.c("PA", 20001, 1, 100, dt=250 * MS, ip_fields={"ident": 300})
        for ident in range(5):
            talk.c("PA", 20001, 1, 100, dt=MS, ip_fields={"ident": ident})
        assert "duplicates" not in flaws(talk)

    def test_duplicate_acknowledgements_are_none(self):
        talk = transfer()
        for _ in range(5):
            talk.s("A", 1, 20001, dt=MS, ip_fields={"ident": 0})
        assert "duplicates" not in flaws(talk)


class TestSides:
    def test_one_sided(self):
        frames = [frame for frame in transfer().frames if frame.data[26:30] == b"\x0a\0\0\x01"]
        found = flaws(frames)
        assert (found["one_sided"].count, found["one_sided"].total, found["one_sided"].examples) == (1, 1, (1,))
        assert "capture_loss" not in found

    def test_a_scan_without_answers_is_not(self):
        talk = Conversation()
        for _ in range(6):
            talk.c("S", 0, dt=S)
        assert flaws(talk) == {}

    def test_begun_before(self):
        found = flaws(transfer().frames[5:])
        assert found["begun_before"].examples == (1,)
        assert "capture_loss" not in found


class TestLoss:
    def test_acknowledged_but_never_captured(self):
        talk = transfer()
        frames = [frame for number, frame in enumerate(talk.frames, 1) if number not in (10, 14, 16)]
        flaw = flaws(frames)["capture_loss"]
        assert flaw.count == 3
        assert "3,000 bytes" in flaw.what
        assert "15.00%" in flaw.what
        assert flaw.examples == (10, 13, 14)

    def test_lost_on_the_way_and_sent_again_is_not(self):
        talk = Conversation().handshake()
        talk.c("PA", 1001, 1, 1000).s("A", 1, 1).c("PA", 1, 1, 1000, dt=S).s("A", 1, 2001)
        assert "capture_loss" not in flaws(talk)

    def test_acknowledgement_captured_before_its_data(self):
        frames = transfer().frames
        for i in range(3, 43, 2):
            frames[i].data, frames[i + 1].data = frames[i + 1].data, frames[i].data
            frames[i].wire_len, frames[i + 1].wire_len = frames[i + 1].wire_len, frames[i].wire_len
        assert "capture_loss" not in flaws(frames)

    def test_a_hole_acknowledged_in_part(self):
        talk = Conversation().handshake()
        talk.c("PA", 3001, 1, 1000).s("A", 1, 1001)
        assert "1,000 bytes" in flaws(talk)["capture_loss"].what
        talk.s("A", 1, 4001)
        assert "3,000 bytes" in flaws(talk)["capture_loss"].what

    def test_forged_numbers_are_not_believed(self):
        talk = transfer()
        talk.s("A", 1, 20001 + 2**31 - 10).c("PA", 2**31 - 10, 1, 10).s("R", 12345, 0)
        assert "capture_loss" not in flaws(talk)

    @pytest.mark.parametrize("seed", range(20))
    def test_holes_beside_a_set_of_numbers(self, seed):
        """Bytes acknowledged and not captured, with few holes open at a time."""
        dice = random.Random(seed)
        talk, seen, acked, at = Conversation().handshake(), {0}, 1, 1
        for ident in range(60):
            size = dice.randrange(1, 30)
            if dice.random() < 0.8:
                talk.c("A", at, 1, size, dt=MS, ip_fields={"ident": 100 + ident})
                seen.update(range(at, at + size))
            elif dice.random() < 0.5:                # late: after one that follows it
                talk.c("A", at + size, 1, 5, dt=MS, ip_fields={"ident": 100 + ident})
                talk.c("A", at, 1, size, dt=MS, ip_fields={"ident": 200 + ident})
                seen.update(range(at, at + size + 5))
                size += 5
            at += size
            if dice.random() < 0.6:
                acked = at - dice.randrange(0, 3)
                talk.s("A", 1, acked, dt=MS, ip_fields={"ident": 300 + ident})
        talk.s("A", 1, at, dt=MS)
        missing = len(set(range(at)) - seen)
        flaw = flaws(talk).get("capture_loss")
        assert (f" {missing:,} bytes in all" in flaw.what) if flaw else missing == 0


class TestOffload:
    def test_longer_than_the_receivers_mss(self):
        talk = Conversation().handshake()
        talk.c("PA", 1, 1, 1460).c("PA", 1461, 1, 4380)
        assert flaws(talk)["offload"].examples == (5,)

    def test_without_a_handshake_only_beyond_jumbo_frames(self):
        talk = Conversation().c("PA", 1, 1, 8948).c("PA", 8949, 1, 20_000)
        assert flaws(talk)["offload"].examples == (2,)

    def test_loopback_has_long_segments(self):
        talk = Conversation(client="127.0.0.1", server="127.0.0.1").c("PA", 1, 1, 40_000)
        assert "offload" not in flaws(talk)

    def test_an_absurd_mss_is_no_limit(self):
        talk = Conversation()
        talk.c("S", 0, options=mss(0)).s("SA", 0, 1, options=mss(1)).c("A", 1, 1).c("PA", 1, 1, 100)
        assert "offload" not in flaws(talk)


class TestChecksums:
    @pytest.mark.parametrize(("source", "target"), [("10.0.0.1", "10.0.0.2"), ("fe80::1:2", "2001:db8::ffff")])
    def test_only_the_pseudo_header_is_summed(self, source, target):
        frames = []
        for i in range(5):
            segment = tcp(1000, 80, i, 1, "A", payload=b"data" * i)
            addresses = ip(source, target, b"")
            pseudo = (addresses[12:20] if "." in source else addresses[8:40]) + struct.pack(">II", 6, len(segment))
            field = struct.pack(">H", checksum(pseudo) ^ 0xFFFF)
            frames.append(Frame(T0 + i * S, ethernet(ip(source, target, segment[:16] + field + segment[18:])), 0))
            frames[-1].wire_len = len(frames[-1].data)
        flaw = flaws(frames)["checksum_offload"]
        assert (flaw.count, flaw.total) == (5, 5)

    def test_right_checksums_are_none(self):
        assert "checksum_offload" not in flaws(transfer(200))


def test_quoted_segments_do_not_count():
    talk = transfer()
    quoted = talk.frames[5].data[14:70]
    error = ipv4("10.0.0.9", "10.0.0.1", struct.pack(">BBHHH", 3, 4, 0, 0, 1400) + quoted, 1)
    assert flaws(talk.raw(ethernet(error))) == {}
