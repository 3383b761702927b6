"""The decoder against the slow model, and against bytes that nobody meant to send."""
import struct

from hypothesis import example, given, settings
from hypothesis import strategies as st

from layers import LINKS, TUNNELS
from odd_frames import extension
from packets import NOP, SACK_PERMITTED, T0, Frame, ethernet, ip, mss, sack, tcp, timestamps, wscale
from reference.decode import decode
from stages import run_decode
from tcpcore.flags import DecodeStatus

COMPARED = [
    "frame_len", "cap_len", "vlan", "ip_version", "tos", "ip_id", "ip_len", "ip_flags", "ttl", "src_hi", "src_lo",
    "dst_hi", "dst_lo", "src_port", "dst_port", "seq_raw", "ack_raw", "hdr_len", "flags", "window", "payload_len",
    "payload_captured", "checksum", "urgent", "mss", "wscale", "tsval", "tsecr", "sack_count", "sack_le0", "sack_re0",
    "sack_le1", "sack_re1", "sack_le2", "sack_re2", "sack_le3", "sack_re3", "damage"]
U32 = st.integers(0, 2**32 - 1)
OPTIONS = st.one_of(
    st.just(NOP), st.just(b"\0"), st.just(SACK_PERMITTED), st.integers(0, 65535).map(mss),
    st.integers(0, 255).map(wscale), st.builds(timestamps, U32, U32),
    st.lists(st.tuples(U32, U32), max_size=4).map(lambda blocks: sack(*blocks)),
    st.builds(lambda kind, size, body: bytes([kind, size]) + body, st.sampled_from([2, 3, 5, 8, 19, 77]),
              st.integers(0, 20), st.binary(max_size=12)))
# Behind next header and length: anything, a home address, a route.
EXTENSIONS = st.one_of(
    st.binary(max_size=20),
    st.builds(lambda size, body: bytes([201, size]) + body, st.sampled_from([0, 4, 16, 17]), st.binary(max_size=30)),
    st.builds(lambda kind, left, rest: bytes([kind, left]) + rest, st.sampled_from([0, 2, 3, 4, 5]),
              st.integers(0, 2), st.binary(max_size=50)))
ENDS = [("10.0.0.1", "10.0.0.2"), ("192.168.7.9", "0.0.0.0"), ("fd00::1", "fd00:1:2:3::2")]


@st.composite
def frames(draw):
    """Segments on Ethernet with any options and extension headers; some damaged, padded or cut."""
    ends = draw(st.sampled_from(ENDS))
    options = b"".join(draw(st.lists(OPTIONS, max_size=5)))[:40]
    packet = tcp(draw(st.integers(0, 65535)), draw(st.integers(0, 65535)), draw(U32), draw(U32),
                 draw(st.integers(0, 0xFFF)), draw(st.integers(0, 65535)), options, draw(st.binary(max_size=40)),
                 offset=draw(st.none() | st.integers(0, 15)), urgent=draw(st.integers(0, 65535)))
    fields, following = {}, 6
    if ":" in ends[0]:
        for _ in range(draw(st.integers(0, 2))):
            packet = extension(following, draw(EXTENSIONS)) + packet
            following = draw(st.sampled_from([43, 60]))
        fields = {"length": draw(st.none() | st.integers(1, 200)), "hop_limit": draw(st.integers(0, 255))}
    else:
        fields = {"total": draw(st.none() | st.integers(0, 200)), "tos": draw(st.integers(0, 255)),
                  "options": NOP * 4 * draw(st.integers(0, 10)), "fragment": draw(st.sampled_from([0, 0x4000, 0x8000]))}
    vlans = draw(st.lists(st.integers(0, 0xFFFF), max_size=3))
    frame = ethernet(ip(*ends, packet, following, **fields), vlans=vlans) + draw(st.binary(max_size=8))
    cut = draw(st.integers(0, len(frame)))
    return Frame(T0, frame[:draw(st.sampled_from([cut, len(frame), len(frame)]))], len(frame))


@given(st.lists(frames(), min_size=1, max_size=10))
def test_agrees_with_the_model(captured):
    done = run_decode(captured)
    expected = [found for frame in captured if (found := decode(frame.data, frame.wire_len)) is not None]
    actual = [{name: int(row[name]) for name in COMPARED} for row in done.rows]
    assert actual == [{name: int(found.get(name, 0)) for name in COMPARED} for found in expected]
    assert [status == DecodeStatus.STATUS_TCP for status in done.statuses] == [
        decode(frame.data, frame.wire_len) is not None for frame in captured]


STATUSES = {int(status) for status in DecodeStatus if status != DecodeStatus.STATUS_COUNT}
LINK_TYPES = sorted({case.link_type for case in LINKS.values()} | {2, 13, 112, 130, 131, 133, 135, 147, 183, 65535})


@given(st.sampled_from(LINK_TYPES), st.lists(st.binary(max_size=200), min_size=1, max_size=8))
@example(1, [b""])
def test_random_bytes_have_a_status(link_type, bodies):
    check(run_decode(bodies, link_type=link_type), len(bodies))


@st.composite
def damaged(draw):
    """A frame of some encapsulation, in another perhaps, with some bytes changed, cut or added."""
    case = draw(st.sampled_from(sorted({**LINKS, **TUNNELS}.items())))[1]
    version = draw(st.sampled_from(case.versions))
    packet = ip(*(ENDS[0] if version == "4" else ENDS[2]), tcp(1, 2, 3, payload=b"payload"))
    for tunnel in draw(st.lists(st.sampled_from(sorted(TUNNELS)), max_size=3)):
        if str(packet[0] >> 4) in TUNNELS[tunnel].versions:
            packet = TUNNELS[tunnel].wrap(packet)[14:]
            if packet[0] >> 4 not in (4, 6):
                packet = ip(*ENDS[0], tcp(1, 2, 3))
    frame = bytearray(case.wrap(packet) if str(packet[0] >> 4) in case.versions else LINKS["ethernet"].wrap(packet))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=6)):
        frame[at] = value
    return case.link_type, bytes(frame[:draw(st.integers(0, len(frame)))])


@given(st.lists(damaged(), min_size=1, max_size=4))
@settings(max_examples=200)
def test_damaged_headers_have_a_status(cases):
    for link_type, frame in cases:
        check(run_decode([frame, frame + struct.pack(">Q", 0)], link_type=link_type), 2)


def check(done, frames):
    """Every frame has a status, every row lies within its frame."""
    assert len(done.statuses) == frames
    assert set(done.statuses) <= STATUSES
    assert done.statuses.count(DecodeStatus.STATUS_TCP) == len(done.rows)
    assert (done.rows["payload_captured"] <= done.rows["payload_len"]).all()
    assert [len(payload) for payload in done.payloads] == done.rows["payload_captured"].tolist()
