"""The TCP header, its options, and TCP quoted by ICMP."""
import struct

import pytest

from odd_frames import ICMP, TCP, headed
from packets import T0, Frame, ethernet, ipv4, tcp
from stages import run_decode
from tcpcore.flags import Damage, DecodeStatus, Present, TunnelHas, TunnelKind

P, D = Present, Damage
WHOLE = P.HAS_PORTS | P.HAS_SEQ | P.HAS_WINDOW | P.HAS_LEN | P.HAS_NXTSEQ | P.HAS_CHECKSUM
TIMES = P.HAS_TIMESTAMPS | P.HAS_TSVAL
SACKS = P.HAS_SACK | P.HAS_SACK_LE | P.HAS_SACK_RE


def one(frames, name):
    done = run_decode([frames[name]])
    assert done.statuses == [DecodeStatus.STATUS_TCP]
    return done.rows[0], done.tunnels[0]


@pytest.mark.parametrize(("name", "present", "values"), [
    ("SYN with the usual options", P.HAS_MSS | P.HAS_SACK_PERMITTED | TIMES | P.HAS_WSCALE,
     {"mss": 1400, "wscale": 9, "tsval": 7, "tsecr": 0, "flags": 2}),
    ("timestamps", TIMES, {"tsval": 11, "tsecr": 12, "hdr_len": 32}),
    ("one SACK block", SACKS, {"sack_count": 1, "sack_le0": 100, "sack_re0": 200}),
    ("four SACK blocks", SACKS, {"sack_count": 4, "sack_le0": 1, "sack_re1": 4, "sack_le2": 5, "sack_re3": 8}),
    ("SACK of four blocks and a half", SACKS, {"sack_count": 4, "sack_le0": 0x01020304, "sack_re3": 0x1D1E1F20}),
    ("SACK of all the header", SACKS, {"sack_count": 4, "sack_re3": 0}),
    ("SACK block and timestamps", SACKS | TIMES, {"sack_count": 1, "tsval": 1, "tsecr": 2, "sack_re0": 200}),
    ("MSS of a wrong length", P.HAS_WSCALE, {"mss": 0, "wscale": 3}),                      # WN-6
    ("window scale of a wrong length", 0, {"wscale": 0}),
    ("two MSS", P.HAS_MSS, {"mss": 1000}),
    ("unknown option", P.HAS_MSS, {"mss": 1300}),
    ("fast open cookie", P.HAS_TFO_COOKIE, {}),                                            # TF-1
    ("experimental fast open", P.HAS_TFO_COOKIE, {}),
    ("fast open request", 0, {}),
    ("MPTCP", 0, {"mptcp": 1 << 1}),                                                       # DA-4
    ("MPTCP without a key", 0, {"mptcp": 0}),
    ("MPTCP of a later subtype", 0, {"mptcp": 0}),
    ("end of options, then another", 0, {"mss": 0}),                                       # LN-9
    ("data offset 15 of 60", 0, {"hdr_len": 60, "payload_len": 0}),
])
def test_options(name, present, values):
    row, _ = one(TCP, name)
    assert row["present"] == WHOLE | P.HAS_OPTIONS | present
    assert row["damage"] == 0
    assert {field: row[field] for field in values} == values


def test_mptcp_without_a_subtype_ends_the_reading():
    """As a subtype that is cut does (LN-9)."""
    row = run_decode([headed(b"\x1e\x02\x02\x04\x05\xb4")]).rows[0]
    assert (row["damage"], row["mss"]) == (Damage.MPTCP_BROKEN, 0)


def test_mptcp_with_keys():
    """Not among the odd frames, for it ends tshark's reading of MPTCP."""
    assert run_decode([headed(b"\x1e\x14\x00\x81" + bytes(16))]).rows["mptcp"] == [1]     # DA-4


@pytest.mark.parametrize(("name", "damage", "present"), [
    ("SACK of 6 bytes", D.SACK_BROKEN, P.HAS_SACK | P.HAS_SACK_LE), ("SACK of 2 bytes", D.SACK_BROKEN, P.HAS_SACK),
    ("SACK of 2 bytes, then another", D.SACK_BROKEN, P.HAS_SACK),
    ("option of length 1", D.OPTIONS_MALFORMED, 0), ("option beyond the header", 0, 0),
    ("option longer than the header", D.OPTIONS_MALFORMED, 0)])
def test_broken_options(name, damage, present):
    row, _ = one(TCP, name)                                                                # LN-9
    assert (row["damage"], row["present"]) == (damage, WHOLE | P.HAS_OPTIONS | present)
    assert row["mss"] == 0


def test_header_fields():
    row, _ = one(TCP, "urgent")
    assert row["present"] == WHOLE
    assert (row["src_port"], row["dst_port"], row["seq_raw"], row["ack_raw"]) == (50000, 80, 1000, 2000)
    assert (row["hdr_len"], row["flags"], row["window"], row["urgent"], row["payload_len"]) == (20, 0x38, 65535, 5, 10)
    assert one(TCP, "all flags")[0]["flags"] == 0xFFF


@pytest.mark.parametrize(("name", "header", "length"), [("data offset 4", 16, 14), ("data offset 0", 0, 30)])
def test_data_offset_below_five(name, header, length):
    row, _ = one(TCP, name)                                                                # LN-7
    assert row["damage"] == D.BOGUS_HEADER_LENGTH
    assert (row["hdr_len"], row["payload_len"]) == (header, length)
    assert row["present"] == P.HAS_PORTS | P.HAS_SEQ | P.HAS_LEN


def test_data_offset_beyond_the_packet():
    row, _ = one(TCP, "data offset beyond the packet")                                     # LN-6
    assert row["damage"] == D.SHORT_SEGMENT | D.OPTIONS_CUT
    assert not row["present"] & (P.HAS_LEN | P.HAS_NXTSEQ)


@pytest.mark.parametrize(("captured", "damage", "present"), [                              # LN-3
    (4, D.PORTS_ONLY, P.HAS_PORTS), (8, D.PORTS_ONLY, P.HAS_PORTS), (15, D.PORTS_ONLY, P.HAS_PORTS),
    (16, D.HEADER_CUT, WHOLE & ~P.HAS_CHECKSUM), (17, D.HEADER_CUT, WHOLE & ~P.HAS_CHECKSUM),
    (18, D.HEADER_CUT, WHOLE & ~P.HAS_CHECKSUM | P.HAS_CUT_CHECKSUM),
    (19, D.HEADER_CUT, WHOLE & ~P.HAS_CHECKSUM | P.HAS_CUT_CHECKSUM),
    (20, D.OPTIONS_CUT, WHOLE | P.HAS_OPTIONS), (27, D.OPTIONS_CUT, WHOLE | P.HAS_OPTIONS),
    (28, D.OPTIONS_CUT, WHOLE | P.HAS_OPTIONS | P.HAS_TSVAL), (35, D.OPTIONS_CUT, WHOLE | P.HAS_OPTIONS | TIMES),
    (36, 0, WHOLE | P.HAS_OPTIONS | TIMES | P.HAS_MSS), (46, 0, WHOLE | P.HAS_OPTIONS | TIMES | P.HAS_MSS)])
def test_captured_part_of_the_header(captured, damage, present):
    row, _ = one(TCP, f"captured {captured} bytes of TCP")
    assert (row["damage"], row["present"]) == (damage, present)
    if captured >= 16:
        assert (row["payload_len"], row["payload_captured"]) == (30, max(0, captured - 36))


@pytest.mark.parametrize(("name", "damage"), [                                            # LN-3
    ("the last option, of a wrong length", 0), ("the last option, of an unknown kind", D.OPTIONS_CUT),
    ("an option of a wrong length", D.OPTIONS_CUT)])
def test_options_of_a_wrong_length_are_not_missed(name, damage):
    assert one(TCP, f"cut in {name}")[0]["damage"] == damage


@pytest.mark.parametrize(("name", "damage"), [                                            # LN-3, LN-9
    ("two bytes behind an option beyond the header", D.OPTIONS_MALFORMED),
    ("three bytes behind an option beyond the header", D.OPTIONS_MALFORMED | D.OPTIONS_CUT),
    ("behind the end of options", D.OPTIONS_CUT)])
def test_where_reading_ends_before_the_cut(name, damage):
    row = one(TCP, f"cut {name}")[0]
    assert (row["damage"], row["mss"]) == (damage, 1460)


def test_fewer_than_four_bytes_are_no_segment():
    assert run_decode([TCP["captured 3 bytes of TCP"]]).statuses == [DecodeStatus.STATUS_TCP_TRUNCATED]


@pytest.mark.parametrize(("name", "kind", "code", "mtu"), [
    ("unreachable", 3, 1, 0), ("fragmentation needed", 3, 4, 1400), ("time exceeded", 11, 0, 0),
    ("parameter problem", 12, 0, 0), ("source quench", 4, 0, 0), ("packet too big", 2, 0, 1280),
    ("ICMPv6 unreachable", 1, 4, 0), ("ICMPv6 time exceeded", 3, 0, 0), ("ICMPv6 parameter problem", 4, 0, 0)])
def test_quoted_segment_is_no_segment(name, kind, code, mtu):
    row, tunnel = one(ICMP, name)                                                          # ST-9
    assert row["damage"] & D.QUOTED
    assert not row["present"] & (P.HAS_LEN | P.HAS_NXTSEQ)
    assert (row["src_port"], row["dst_port"], row["seq_raw"]) == (50000, 80, 1000)
    assert (int(row["src_lo"]) & 0xFF, int(row["dst_lo"]) & 0xFF) == (2, 1)                # the quoted addresses
    assert tunnel["kind"] == TunnelKind.TUNNEL_ICMP
    assert (tunnel["icmp_type"], tunnel["icmp_code"], tunnel["next_hop_mtu"]) == (kind, code, mtu)
    assert tunnel["has"] & TunnelHas.ICMP_ERROR
    assert bool(tunnel["has"] & TunnelHas.NEXT_HOP_MTU) == (mtu > 0)


def test_an_error_that_quotes_an_error():
    """Of the two, the inner one is about the segment, and no error for its size."""
    too_large, expired = struct.pack(">BBHHH", 3, 4, 0, 0, 1400), struct.pack(">BBHI", 11, 0, 0, 0)
    segment = ipv4("10.0.0.1", "10.0.0.2", tcp(50000, 80, 1))
    inner = ipv4("10.0.0.3", "10.0.0.1", expired + segment, 1)
    tunnel = run_decode([ethernet(ipv4("10.0.0.4", "10.0.0.3", too_large + inner, 1))]).tunnels[0]
    assert (tunnel["icmp_type"], tunnel["has"] & TunnelHas.NEXT_HOP_MTU) == (11, 0)


@pytest.mark.parametrize(("quoted", "damage", "present"), [
    (4, D.PORTS_ONLY, P.HAS_PORTS), (8, D.PORTS_ONLY, P.HAS_PORTS | P.HAS_ICMP4_SEQ),
    (16, D.HEADER_CUT, P.HAS_PORTS | P.HAS_SEQ | P.HAS_WINDOW | P.HAS_ICMP4_SEQ),
    (20, 0, P.HAS_PORTS | P.HAS_SEQ | P.HAS_WINDOW | P.HAS_ICMP4_SEQ | P.HAS_CHECKSUM)])
def test_how_much_is_quoted(quoted, damage, present):
    row, _ = one(ICMP, f"quoting {quoted} bytes")
    assert (row["damage"], row["present"]) == (damage | D.QUOTED, present)


@pytest.mark.parametrize(("what", "damage"), [("the last option", 0), ("an option before the last", D.OPTIONS_CUT)])
def test_quoted_options(what, damage):
    """That a quote ends within the last option leaves the segment whole, a snap length there does not."""  # LN-3
    frame = ICMP[f"quoting a part of {what}"]
    assert run_decode([frame]).rows[0]["damage"] == D.QUOTED | damage
    cut = Frame(T0, frame[:-1], len(frame))
    assert run_decode([cut]).rows[0]["damage"] == D.QUOTED | D.OPTIONS_CUT


@pytest.mark.parametrize("kind", ["SACK", "MPTCP"])
def test_broken_options_in_a_quote(kind):
    """They do not end the reading (LN-9)."""
    row = one(ICMP, f"quoting a broken {kind} option")[0]
    assert (row["damage"], row["mss"]) == (D.QUOTED, 1300)


@pytest.mark.parametrize("name", ["echo", "quoting UDP", "ICMPv6 echo"])
def test_other_icmp_quotes_no_segment(name):
    assert run_decode([ICMP[name]]).statuses == [DecodeStatus.STATUS_NOT_TCP]


def test_a_redirect_quotes_eight_bytes():
    row, _ = one(ICMP, "redirect")
    assert row["damage"] == D.QUOTED | D.PORTS_ONLY
