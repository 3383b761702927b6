"""Capture files of any make-up, whole, cut and damaged, beside the writer that made them."""
from __future__ import annotations

import io

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reference.captures import Described, Expected, PcapngWriter, pcap_file
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.errors import CaptureError

ORDERS = st.sampled_from("<>")
DATA = st.binary(max_size=70)
EXTREMES = st.sampled_from([0, 1, 999_999, 10**15, 1_700_000_000 * 10**6, 2**32 - 1, 2**32, 2**63, 2**64 - 1])
TICKS = EXTREMES | st.integers(0, 2**64 - 1)
RESOLUTIONS = st.sampled_from([None, 0, 3, 6, 9, 12, 28, 29, 127, 0x80, 0x8A, 0x94, 0xBF, 0xC0, 0xFF]) \
    | st.integers(0, 255)
OFFSETS = st.sampled_from([None, 0, 3600, -3600, 3_999_999_999, 4_000_000_000, -2**63, 2**63 - 1])
INTERFACES = st.builds(Described, st.sampled_from([1, 101, 113, 276, 228]), st.sampled_from([0, 0, 16, 60, 262144]),
                       RESOLUTIONS, OFFSETS, st.none() | st.text("abcé", min_size=1, max_size=9))
# A comment, packet flags, a hash, an option of no length, an unknown one.
PACKET_OPTIONS = st.lists(st.sampled_from([(1, b"remark"), (2, bytes(4)), (3, b"\2abcd"), (1, b""), (999, b"xyz")]),
                          max_size=3)
PCAP_START = b"\xd4\xc3\xb2\xa1\2\0\4\0"
PCAPNG_START = b"\n\r\r\n\x1c\0\0\0\x4d\x3c\x2b\x1a\1\0\0\0"
UNKNOWN_BLOCKS = st.sampled_from([7, 8, 0x0BAE, 0x7FFFFFFF, 0x80000001, 0xFFFFFFFF])


@st.composite
def pcapngs(draw, payloads=DATA):
    made = PcapngWriter()
    made.section(draw(ORDERS))
    steps = draw(st.lists(st.sampled_from(["packet", "packet", "packet", "old", "simple", "interface", "section",
                                           "unknown", "custom", "names", "statistics"]), max_size=25))
    for step in steps:
        n_interfaces = len(made.interfaces) - made.first
        if step == "section":
            made.section(draw(ORDERS), [(4, b"a program")])
        elif step == "interface" or (step in ("packet", "old", "simple", "statistics") and n_interfaces == 0):
            made.interface(draw(INTERFACES), end=draw(st.booleans()))
        elif step in ("packet", "old"):
            data = draw(payloads)
            made.packet(draw(st.integers(0, n_interfaces - 1)), draw(TICKS), data,
                        min(len(data) + draw(st.sampled_from([0, 1, 9000, 2**32])), 2**32 - 1), draw(PACKET_OPTIONS),
                        old=step == "old", end=draw(st.booleans()))
        elif step == "simple":
            made.simple_packet(draw(payloads))
        elif step == "unknown":
            made.block(draw(UNKNOWN_BLOCKS), draw(DATA))
        elif step == "custom":
            made.custom(draw(DATA))
        elif step == "names":
            made.block(4, made.pack("HH", 1, 6) + b"\x0a\0\0\1a\0\0\0" + made.pack("HH", 0, 0))
        else:
            made.block(5, made.pack("III", n_interfaces - 1, 0, 7) + made.options([(4, made.pack("Q", 5))], end=True))
    return made


def pcaps(nano, payloads=DATA):
    rows = st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 999_999), payloads, st.integers(70, 9000))
    return st.builds(pcap_file, ORDERS, nano, st.sampled_from([1, 101, 113]), st.lists(rows, max_size=15))


CAPTURES = pcapngs() | pcaps(st.booleans())
# With microseconds several variants share a magic number: a cut or a change may make another one fit better.
OF_ONE_VARIANT = pcapngs() | pcaps(st.just(True))


class Dribble(io.BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def __init__(self, data, most):
        super().__init__(data)
        self.most = most

    def readinto(self, buffer):
        return super().readinto(buffer[:self.most])


def read(data: bytes, most: int = 1 << 20, capacity: int = 8):
    reader, batch, frames = Reader(Dribble(data, most)), Batch(capacity), []
    while reader.next(batch):
        content = batch.data_bytes
        for row in batch.frame_array:
            at = int(row["offset"]) - batch.data_offset
            assert at >= 0
            assert at + row["cap_len"] <= len(content)
            assert row["number"] == len(frames) + 1
            frames.append(Expected(int(row["time_ns"]), int(row["wire_len"]), int(row["interface_id"]),
                                   int(row["link_type"]), content[at:at + int(row["cap_len"])]))
    assert reader.next(batch) is False
    assert reader.n_frames == len(frames)
    return reader, frames


@given(made=CAPTURES, most=st.sampled_from([1, 7, 64, 1 << 20]), capacity=st.integers(1, 9))
@settings(max_examples=300)
def test_what_was_written_is_read(made, most, capacity):
    reader, frames = read(made.data, most, capacity)
    assert frames == made.frames
    assert reader.damage is None
    if reader.format == "pcapng":
        assert [(found.link_type, found.snaplen, found.resolution, found.offset_s, found.name)
                for found in reader.interfaces] == [
            (given.link_type, given.snaplen, 6 if given.resolution is None else given.resolution, given.offset_s or 0,
             given.name) for given in made.interfaces]


@given(made=OF_ONE_VARIANT, data=st.data(), most=st.sampled_from([1, 50, 1 << 20]))
@settings(max_examples=300)
def test_a_cut_capture_gives_all_whole_records(made, data, most):
    cut = data.draw(st.integers(0, len(made.data)))
    try:
        reader, frames = read(made.data[:cut], most)
    except CaptureError:
        assert cut < 28
        return
    assert frames == made.frames_before(cut)
    ends = {*made.starts, len(made.data), *([24] if reader.format != "pcapng" else [])}
    if cut in ends:
        assert reader.damage is None
    else:
        assert reader.damage[0] == max((start for start in made.starts if start < cut), default=24)
        assert "in the middle" in reader.damage[1]


@given(made=OF_ONE_VARIANT, data=st.data())
@settings(max_examples=500)
@example(made=pcap_file("<", True, 1, [(0, 0, b"", 70)] * 3), data=None)
def test_damage_never_reaches_back(made, data):
    """Bytes changed at random: no crash, and what lies before the first of them is as it was."""
    changed = bytearray(made.data)
    places = [41] if data is None else data.draw(st.lists(st.integers(0, len(changed) - 1), min_size=1, max_size=4))
    for place in places:
        changed[place] ^= 0xFF if data is None else data.draw(st.integers(1, 255))
    try:
        _, frames = read(bytes(changed))
    except CaptureError:
        assert min(places) < 28
        return
    if min(places) >= 28:
        before = made.frames_before(min(places))
        assert frames[:len(before)] == before


@given(st.binary(max_size=300), st.sampled_from([PCAP_START, PCAPNG_START]))
@settings(max_examples=300)
def test_noise_after_a_good_beginning(noise, head):
    try:
        read(head + noise)
    except CaptureError as error:
        assert error.cause  # noqa: PT017
