"""Capture.streams: the bytes of a connection as slices of the capture, and one small test for each rule."""
import gzip
import io
import itertools

import numpy as np
import pytest

import tcpkit
import tcpkit.pipeline
from packets import MS, SACK_PERMITTED, T0, Conversation, Frame, mss, pcap, wscale
from tcpcore.batch import Batch
from tcpcore.flags import ChunkKind, EndReason
from tcpkit.stream_files import StreamFiles
from tcpkit.stream_scan import StreamScan, scan_streams

SECOND = 1_000_000_000


def stream_of(talk, number=0, policy="linux"):
    return tcpkit.open(io.BytesIO(talk.pcap())).streams.with_policy(policy)[number]


def scanned(talk, **options):
    """What a scan passes on: (direction, kind, offset, length, bytes), ends last."""
    return [(piece.direction, ChunkKind(piece.kind), piece.offset, piece.length, bytes(piece))
            for piece in scan_streams(io.BytesIO(talk.pcap()), **options) if piece.kind != ChunkKind.CHUNK_END]


def ends(talk, **options):
    return [EndReason(piece.reason) for piece in scan_streams(io.BytesIO(talk.pcap()), **options)
            if piece.kind == ChunkKind.CHUNK_END]


@pytest.fixture
def talk():
    """Ten bytes from the client in three segments, the last two swapped, and an answer with a hole."""
    talk = Conversation().handshake()
    talk.c("PA", 1, 1, b"abcd").c("PA", 8, 1, b"hij").c("PA", 5, 1, b"efg")
    return talk.s("PA", 1, 11, b"ABC").s("PA", 6, 11, b"FGH").c("A", 11, 9)


def test_bytes_in_order(talk):
    client = stream_of(talk).client
    assert bytes(client) == b"abcdefghij"
    assert len(client) == 10
    assert client.read(2, 5) == b"cdefg"
    assert client.read(8) == b"ij"
    assert client.read(3, 0) == client.read(10) == b""
    assert list(client.runs()) == [(0, 10)]


def test_chunks_tell_frame_time_and_place_in_the_capture(talk, tmp_path):
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.pcap())
    client = tcpkit.open(path).streams[0].client
    chunks = client.chunks
    assert list(chunks["frame"]) == [4, 6, 5]
    assert list(chunks["offset"]) == [0, 4, 7]
    assert len(repr(chunks).splitlines()) == 5
    assert list(chunks["length"]) == [4, 3, 3]
    assert [int(time) for time in chunks["time"].astype("int64")] == [talk.frames[at].time for at in (3, 5, 4)]
    assert [path.read_bytes()[at:][:3] for at in chunks["position"]] == [b"abc", b"efg", b"hij"]


def test_views_are_slices_of_the_mapped_file(talk, tmp_path):
    path = tmp_path / "talk.pcap"
    path.write_bytes(talk.pcap())
    views = list(tcpkit.open(path).streams[0].client.views(1, 7))
    assert views == [b"bcd", b"efg", b"h"]
    assert views[0].readonly
    assert type(views[0].obj).__name__ == "mmap"


def test_which_frames_carry_bytes(talk):
    stream = stream_of(talk)
    assert stream.client.frames_of(3, 5) == [(4, 3, 1), (6, 4, 3), (5, 7, 1)]
    assert stream.server.frames_of(0, 99) == [(7, 0, 3), (None, 3, 2), (8, 5, 3)]


def test_a_hole_is_seen_and_never_closed(talk):
    server = stream_of(talk).server
    assert len(server) == 8
    assert list(server.runs()) == [(0, 3), (5, 3)]
    assert server.read(*next(server.runs())) == b"ABC"
    assert list(server.holes["kind"]) == ["unseen"]
    with pytest.raises(tcpkit.HoleError, match=r"2 bytes at 3 of what the server of stream 0 sent are unseen"):
        bytes(server)
    assert server.find(b"CF") == -1


def test_places_may_be_numbers_of_numpy(talk):
    client = stream_of(talk).client                      # in memory: positions beyond 63 bits
    assert client.read(np.int64(1), np.int32(3)) == client.read(np.uint8(1), 3) == b"bcd"
    assert client.frames_of(np.int64(3), np.int64(2)) == client.frames_of(3, 2)
    for place in (None, 1.0, "1"):
        with pytest.raises(TypeError):
            client.read(place)


def test_find(talk):
    client = stream_of(talk).client
    assert [client.find(pattern) for pattern in (b"a", b"defgh", b"j", b"x", b"")] == [0, 3, 9, -1, 0]
    assert client.find(b"a", 1) == -1
    assert stream_of(talk).server.find(b"G", 2) == 6


def test_a_file_to_read(talk):
    stream = stream_of(talk)
    file = stream.client.open()
    assert file.read(3) == b"abc"
    assert file.seek(-2, io.SEEK_END) == 8
    assert file.read() == b"ij"
    assert file.read(1) == b""
    answer = stream.server.open()
    assert answer.read(3) == b"ABC"
    with pytest.raises(tcpkit.HoleError):
        answer.read(1)


@pytest.mark.parametrize("form", ["pipe", "gzip", "several"])
def test_captures_that_cannot_be_mapped(talk, tmp_path, form):
    path = tmp_path / "talk.pcap"
    path.write_bytes(gzip.compress(talk.pcap()) if form == "gzip" else talk.pcap())
    source = {"pipe": io.BytesIO(talk.pcap()), "gzip": path, "several": [path, path]}[form]
    client = tcpkit.open(source).streams[0].client
    assert bytes(client) == b"abcdefghij"
    assert client.chunks["position"].mask.all()


# -- the rules of docs/streams.md

def test_rule_old_what_was_passed_on_stays():
    talk = Conversation().handshake().c("A", 1, 1, b"first").s("A", 1, 6).c("A", 1, 1, b"FIRST!")
    assert bytes(stream_of(talk).client) == b"first!"
    assert scan_streams(io.BytesIO(talk.pcap())).run().repeated == 5


def test_rule_old_keep_alive_bytes_are_no_data():
    talk = Conversation().handshake().c("A", 1, 1, b"data").s("A", 1, 5).c("A", 4, 1, b"\0").c("A", 5, 1, b"more")
    assert bytes(stream_of(talk).client) == b"datamore"


def test_rule_fin_counts_where_it_stands_however_early_it_comes():
    talk = Conversation().handshake().c("FA", 4, 1).c("A", 1, 1, b"abc").s("FA", 1, 5).c("A", 5, 2)
    assert bytes(stream_of(talk).client) == b"abc"
    assert stream_of(talk).client.fin == 3
    assert ends(talk) == [EndReason.END_FIN]


def test_rule_after_fin_bytes_are_shown():
    talk = Conversation().handshake().c("FA", 1, 1, b"abc").c("A", 5, 1, b"XY")
    client = stream_of(talk).client
    assert (client.fin, len(client)) == (3, 6)
    assert list(client.holes["offset"]) == [3]               # the place of the FIN itself
    assert client.read(4) == b"XY"


def test_rule_reset_carries_no_data_and_ends_the_stream():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("RA", 1, 4, b"go away")
    stream = stream_of(talk)
    assert (bytes(stream.client), bytes(stream.server)) == (b"abc", b"")
    assert ends(talk) == [EndReason.END_RESET]


def test_rule_resumed_data_after_a_reset_is_passed_on():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("R", 1).c("A", 4, 1, b"def")
    assert bytes(stream_of(talk).client) == b"abcdef"
    assert [data for *_, data in scanned(talk)] == [b"abc", b"def"]
    assert ends(talk) == [EndReason.END_RESET, EndReason.END_CAPTURE]
    assert scan_streams(io.BytesIO(talk.pcap())).run().resumed == 1


def test_rule_urgent_bytes_stay_in_line():
    talk = Conversation().handshake().c("PAU", 1, 1, b"abc!", tcp_fields={"urgent": 4}).c("A", 5, 1, b"d")
    assert bytes(stream_of(talk).client) == b"abc!d"


def test_rule_syn_data_of_fast_open_comes_first():
    talk = Conversation().c("S", 0, payload=b"GET", options=mss() + SACK_PERMITTED + wscale(7)).s("SA", 0, 4)
    talk.c("A", 4, 1, b" /")
    assert bytes(stream_of(talk).client) == b"GET /"


def test_rule_syn_data_sent_again_counts_once():
    talk = Conversation().c("S", 0, payload=b"GET").s("SA", 0, 1).c("A", 1, 1, b"GET /")
    assert bytes(stream_of(talk).client) == b"GET /"


def test_rule_wrap_numbers_go_on_past_2_to_the_32():
    talk = Conversation(client_isn=2**32 - 4).handshake().c("A", 1, 1, b"abcd").c("A", 5, 1, b"efgh")
    assert bytes(stream_of(talk).client) == b"abcdefgh"


def test_rule_wrap_a_stream_longer_than_4_gib():
    """Acknowledged bytes that were not captured carry the stream past 2^32."""
    talk, step = Conversation(), 2**29
    talk.handshake().c("A", 1, 1, b"a")
    for turn in range(1, 11):
        talk.s("A", 1, 2 + turn * step).c("A", 1 + turn * step, 1, bytes([97 + turn]))
    client = stream_of(talk).client
    assert len(client) == 10 * step + 1
    assert client.read(9 * step, 1) == b"j"
    passed_on = scanned(talk, patience=0.001)
    assert [(offset, data) for *_, offset, _, data in passed_on if data][-1] == (10 * step, b"k")


def test_rule_midstream_a_stream_begins_with_its_first_captured_byte():
    talk = Conversation(sport=61000).c("A", 700, 900, b"abc").s("A", 900, 703, b"def").c("A", 703, 903, b"ghi")
    stream = stream_of(talk)
    assert (bytes(stream.client), bytes(stream.server)) == (b"abcghi", b"def")


def test_rule_late_data_captured_after_its_acknowledgement():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("A", 1, 7).c("A", 7, 1, b"ghi").s("A", 1, 10)
    talk.c("A", 4, 1, b"def")
    assert bytes(stream_of(talk).client) == b"abcdefghi"
    assert b"".join(data for *_, data in scanned(talk)) == b"abcdefghi"


def test_rule_unseen_acknowledged_bytes_are_waited_for_only_so_long():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").c("A", 7, 1, b"ghi").s("A", 1, 10)
    talk.s("A", 1, 10, dt=2 * SECOND).c("A", 10, 1, b"jkl").c("A", 4, 1, b"def")
    kinds = [(kind, offset, length) for _, kind, offset, length, _ in scanned(talk)]
    assert kinds == [(ChunkKind.CHUNK_DATA, 0, 3), (ChunkKind.CHUNK_UNSEEN, 3, 3), (ChunkKind.CHUNK_DATA, 6, 3),
                     (ChunkKind.CHUNK_DATA, 9, 3)]


def test_rule_missing_bytes_nobody_acknowledged():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("A", 1, 4).c("A", 7, 1, b"ghi")
    assert list(stream_of(talk).client.holes["kind"]) == ["missing"]
    assert [kind for _, kind, *_ in scanned(talk)][1] == ChunkKind.CHUNK_MISSING


def test_rule_tail_bytes_only_an_acknowledgement_or_a_fin_tells_of():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("A", 1, 9).s("FA", 6, 9)
    stream = stream_of(talk)
    assert [(hole["kind"], hole["offset"], hole["length"]) for hole in map(stream.client.holes.__getitem__, (0,))] == [
        ("unseen", 3, 5)]
    assert [(hole["kind"], hole["offset"], hole["length"]) for hole in map(stream.server.holes.__getitem__, (0,))] == [
        ("missing", 0, 5)]
    assert [(side, kind, length) for side, kind, _, length, data in scanned(talk) if not data] == [
        (0, ChunkKind.CHUNK_UNSEEN, 5), (1, ChunkKind.CHUNK_MISSING, 5)]


def test_rule_tail_one_byte_too_far_is_a_fin_that_was_not_captured():
    talk = Conversation().handshake().c("A", 1, 1, b"abc").s("A", 1, 5)
    assert len(stream_of(talk).client.holes) == 0
    assert [kind for _, kind, *_ in scanned(talk)] == [ChunkKind.CHUNK_DATA]


def test_rule_cut_by_the_snap_length():
    talk = Conversation().handshake().c("A", 1, 1, b"abcdef", snap=56).c("A", 7, 1, b"gh")
    client = stream_of(talk).client
    assert [(hole["kind"], hole["offset"], hole["length"]) for hole in (client.holes[0],)] == [("cut", 2, 4)]
    assert client.read(0, 2) == b"ab"
    assert [kind for _, kind, *_ in scanned(talk)] == [ChunkKind.CHUNK_DATA, ChunkKind.CHUNK_CUT, ChunkKind.CHUNK_DATA]


def test_rule_far_nothing_is_kept_for_a_number_far_away():
    talk = Conversation().handshake().c("A", 2**30 + 2, 1, b"far").c("A", 1, 1, b"abc")
    assert bytes(stream_of(talk).client) == b"abc"
    account = scan_streams(io.BytesIO(talk.pcap())).run()
    assert (account.outside, account.most_waiting, account.holes) == (3, 0, 0)


def test_rule_timeout_ends_a_silent_stream():
    talk = Conversation().handshake().c("A", 1, 1, b"abc")
    other = Conversation(sport=1, time=talk.time + 100 * SECOND).handshake()
    for turn in range(8):
        other.c("A", 1 + turn, 1, b"x", dt=MS)
    talk.frames += other.frames
    assert ends(talk, timeout=50) == [EndReason.END_TIMEOUT, EndReason.END_CAPTURE]


def test_rule_reuse_a_new_connection_on_old_ports_is_another_stream():
    talk = Conversation().handshake().c("A", 1, 1, b"one")
    talk.client_isn += 100_000
    talk.handshake().c("A", 1, 1, b"two")
    assert [bytes(stream_of(talk, number).client) for number in (0, 1)] == [b"one", b"two"]


def test_rule_limit_a_hole_is_given_up_and_counted():
    talk = Conversation().handshake()
    for turn in range(1, 10):
        talk.c("A", 1 + 1000 * turn, 1, 1000)
    scan = scan_streams(io.BytesIO(talk.pcap()), stream_limit=8192, memory_limit=8192)
    pieces = [(ChunkKind(piece.kind), piece.length) for piece in scan]
    assert pieces[0] == (ChunkKind.CHUNK_MISSING, 1000)
    account = scan.account
    assert (account.given_up, account.dropped, account.bytes, account.most_waiting) == (1, 0, 9000, 8192)


def test_policies_are_known_by_name():
    talk = Conversation().handshake().c("A", 4, 1, b"OLD").c("A", 4, 1, b"NEW").c("A", 1, 1, b"abc")
    assert bytes(stream_of(talk, policy="first").client) == b"abcOLD"
    assert bytes(stream_of(talk, policy="last").client) == b"abcNEW"
    with pytest.raises(ValueError, match='there is no overlap policy "plan9"'):
        scan_streams(io.BytesIO(talk.pcap()), policy="plan9")


def test_slices_and_streams_without_bytes():
    talk = Conversation().handshake()
    streams = tcpkit.open(io.BytesIO(talk.pcap())).streams
    assert len(streams) == 1
    assert [len(stream.client) for stream in streams[:]] == [0]
    assert bytes(streams[0].server) == b""
    assert streams[-1].ends.first == ("10.0.0.1", 50000)
    for number in (1, -2, 1 << 70):
        with pytest.raises(IndexError, match=f"there is no stream {number}"):
            streams[number]
    with pytest.raises(TypeError):
        streams["0"]


def test_a_capture_without_any_payload_that_is_read_only_once():
    frames = [Frame(frame.time, frame.data[:54], frame.wire_len)
              for frame in Conversation().handshake().c("PA", 1, 1, 100).frames]
    (stream,) = tcpkit.open(io.BytesIO(pcap(frames))).streams
    assert stream.client.holes["length"].tolist() == [100]


def test_bytes_of_a_stream_that_is_given_up_go_to_its_file(tmp_path):
    talk = Conversation().c("S", 0).c("PA", 5, 1, b"late")
    other = Conversation(sport=1, time=talk.time)
    for _ in range(9000):
        other.c("A", 1, 1, dt=1000 * MS)
    files = StreamFiles(tmp_path)
    files.write(StreamScan(tcpkit.open(io.BytesIO(pcap(talk.frames + other.frames)), idle_timeout=5)))
    [file] = tmp_path.iterdir()
    assert file.name == "00000-client-10.0.0.1_50000-10.0.0.2_60000"
    assert file.read_bytes().endswith(b"\0late")


@pytest.mark.parametrize("sizes", [(4096,), (1, 2, 3), (7,)])
def test_silence_ends_a_stream_wherever_batches_end(sizes, monkeypatch):
    """Rule TIMEOUT: what fills a hole later than that comes too late, for a long read as for short ones."""
    talk = Conversation().handshake().c("PA", 5, 1, b"late")
    for sport in range(40):
        Conversation(sport=sport + 1, frames=talk.frames, time=talk.time).handshake()
    talk.time = talk.frames[-1].time
    talk.c("PA", 1, 1, b"hole", dt=11 * SECOND)
    dice = itertools.cycle(sizes)
    monkeypatch.setattr(tcpkit.pipeline, "Batch", lambda **parts: Batch(next(dice), **parts))
    scan = StreamScan(tcpkit.open(io.BytesIO(talk.pcap()), threads=1), timeout=10)
    ended = [(piece.stream, piece.reason, piece.frame) for piece in scan if piece.kind == ChunkKind.CHUNK_END]
    assert ended[0] == (0, EndReason.END_TIMEOUT, len(talk.frames))
    assert scan.account.repeated == 4


def test_one_loop_at_a_time():
    scan = scan_streams(io.BytesIO(Conversation().handshake().c("PA", 1, 1, b"data").pcap()))
    pieces = iter(scan)
    next(pieces)
    with pytest.raises(RuntimeError, match="another loop"):
        next(iter(scan))
    pipeline = tcpkit.open(io.BytesIO(Conversation().handshake().pcap())).pipeline()
    batches = iter(pipeline)
    next(batches)
    with pytest.raises(RuntimeError, match="another loop"):
        next(iter(pipeline))


def test_a_clock_that_steps_back_and_forth_ends_a_stream_once():
    talk = Conversation().handshake()
    for turn in range(10):
        talk.c("PA", 1 + turn, 1, b"x", dt=(1 - 2 * (turn % 2)) * 7200 * SECOND)
    assert ends(talk) == [EndReason.END_TIMEOUT, EndReason.END_CAPTURE]


@pytest.mark.parametrize("size", [1, 3, 4096])
def test_why_streams_end_does_not_depend_on_batches(size, monkeypatch):
    """At 0, 40 and 100 s, with other packets behind: two were silent for more than 50 s."""
    talk = Conversation().handshake()
    for sport in (1, 2):
        Conversation(sport=sport, frames=talk.frames, time=T0 + sport * sport * 25 * SECOND).handshake()
    talk.frames += [Frame(talk.frames[-1].time, bytes(60), 60)] * 7
    monkeypatch.setattr(tcpkit.pipeline, "Batch", lambda **parts: Batch(size, **parts))
    scan = StreamScan(tcpkit.open(io.BytesIO(talk.pcap()), threads=1, idle_timeout=80), timeout=50)
    assert {piece.stream: piece.reason for piece in scan if piece.kind == ChunkKind.CHUNK_END} == {
        0: EndReason.END_TIMEOUT, 1: EndReason.END_TIMEOUT, 2: EndReason.END_CAPTURE}


def test_a_piece_tells_the_slot_of_its_stream():
    """Without it the ends of a stream would have to be looked for in all slots, once some have been used again."""
    frames = []
    for number in range(3000):
        frames += Conversation(sport=1024 + number, time=T0 + 10 * number * SECOND).handshake().c("PA", 1, 1, 10).frames
    scan = StreamScan(tcpkit.open(io.BytesIO(pcap(frames)), idle_timeout=1))
    told, high = 0, 0
    for piece in scan:
        if piece.kind == ChunkKind.CHUNK_DATA:
            flows = scan._pipeline.flows
            assert flows.records(flows.slots(piece.slot, piece.slot + 1))["stream"] == [piece.stream]
            assert scan.ends(piece.stream).first == ("10.0.0.1", 1024 + piece.stream)
            told, high = told + 1, max(high, piece.slot)
    assert told == 3000
    assert high < 2500
