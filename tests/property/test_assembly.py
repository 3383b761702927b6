"""Streams put together in one pass, and from the index, against the byte-by-byte model."""
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tcpkit
from conversations import random_capture
from packets import MS, Conversation, pcap
from reference.streams import Receiver
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.flags import ChunkKind
from tcpcore.flows import FlowTable
from tcpcore.overlap import OverlapRule, resolve
from tcpcore.stream_index import StreamIndex
from tcpcore.streams import Assembler

POLICIES = [rule.name.lower().replace("_", "-") for rule in OverlapRule]
HEADERS = 54                     # bytes of a frame before its payload
SECOND = 1_000_000_000
HOLES = {ChunkKind.CHUNK_MISSING, ChunkKind.CHUNK_UNSEEN}


@st.composite
def segments(draw, size=60, most=30):
    """(offset, captured bytes, length); some cut by the snap length."""
    out = []
    for number in range(draw(st.integers(0, most))):
        start, length = draw(st.integers(-1, size)), draw(st.integers(1, 20))
        captured = draw(st.one_of(st.just(length), st.just(length), st.integers(0, length)))
        out.append((start, bytes(number + 1 for _ in range(captured)), length))
    return out


def conversation(pieces, isn=1_000_000):
    talk = Conversation(client_isn=isn).handshake()
    for start, data, length in pieces:
        talk.c("A", 1 + start, 1, data + bytes(length - len(data)), snap=HEADERS + len(data), dt=MS)
    return talk


def stages(capture, frames=8):
    """Batches that have been through the flow table."""
    reader, decoder, table, batch = Reader(io.BytesIO(capture)), Decoder(), FlowTable(), Batch(frames)
    while reader.next(batch):
        decoder.process(batch)
        table.process(batch)
        yield batch


def assemble(capture, policy, *, frames=8, stream_limit=1 << 20, total_limit=1 << 22, patience=SECOND,
             timeout=1000 * SECOND):
    """Pieces as (stream, direction, kind, offset, length, bytes), and the totals."""
    out = []
    assembler = Assembler(rule=OverlapRule[policy.upper().replace("-", "_")], stream_limit=stream_limit,
                          total_limit=total_limit, patience_ns=patience, timeout_ns=timeout)

    def take():
        out.extend((piece.stream, piece.direction, piece.kind, piece.offset, piece.length, bytes(piece))
                   for piece in assembler.pieces())

    for batch in stages(capture, frames):
        assembler.process(batch)
        take()
    more = True
    while more:
        more = assembler.finish()
        take()
    return out, assembler.totals


def content(pieces, direction=0):
    """Place -> value (None: not captured) of one direction; what is passed on has no gap and no overlap."""
    out, place = {}, 0
    for _, side, kind, offset, length, data in pieces:
        if side != direction or kind == ChunkKind.CHUNK_END:
            continue
        assert offset == place
        assert length > 0
        if kind == ChunkKind.CHUNK_DATA:
            assert len(data) == length
            out.update(zip(range(place, place + length), data, strict=True))
        elif kind not in HOLES:
            out.update(dict.fromkeys(range(place, place + length)))
        place += length
    return out


def model(policy, pieces):
    receiver = Receiver(policy)
    for start, data, length in pieces:
        receiver.arrive(start, data, length)
    out = dict(enumerate(receiver.delivered))
    out.update({place: value for place, (_, value) in receiver.finish().items()})
    return out


@pytest.mark.parametrize("policy", POLICIES)
@given(pieces=segments(), isn=st.sampled_from([1_000_000, 2**32 - 20]), frames=st.integers(1, 40))
@settings(max_examples=60)
def test_one_pass_gives_the_models_bytes(policy, pieces, isn, frames):
    passed_on, totals = assemble(conversation(pieces, isn).pcap(), policy, frames=frames)
    assert content(passed_on) == model(policy, pieces)
    assert totals["dropped"] == 0
    assert [kind for _, _, kind, *_ in passed_on].count(ChunkKind.CHUNK_END) == 1


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("keep", [True, False])
@given(pieces=segments())
@settings(max_examples=30)
def test_the_index_gives_the_models_bytes(policy, keep, pieces):
    capture = conversation(pieces).pcap()
    index, kept = StreamIndex(keep=keep), b""
    for batch in stages(capture):
        index.process(batch)
        kept += index.take_kept()
    rows, sides = index.finish()
    assert sides["n_segments"].sum() == len(rows) == len(pieces)
    source = kept if keep else capture
    chunks = resolve(rows, OverlapRule[policy.upper().replace("-", "_")], int(sides["acked"][0]))
    assert content([(0, 0, chunk["kind"], chunk["offset"], chunk["length"],
                     source[int(chunk["position"]) & ~(1 << 63):][:chunk["captured"]]) for chunk in chunks]
                   ) == model(policy, pieces)


@st.composite
def long_segments(draw):
    """Offset, length and number of segments of up to three blocks of the store."""
    return [(draw(st.integers(1, 40_000)), draw(st.integers(1, 6000)), number)
            for number in range(draw(st.integers(0, 30)))]


@given(sent=long_segments(), stream_limit=st.integers(2048, 20_000), more=st.integers(0, 10_000),
       policy=st.sampled_from(POLICIES))
@settings(max_examples=80)
def test_limits_hold_and_nothing_is_made_up(sent, stream_limit, more, policy):
    talk = Conversation().handshake()
    values = {}
    for offset, length, number in sent:
        talk.c("A", 1 + offset, 1, bytes([number]) * length, dt=MS)
        for place in range(offset + -offset % 97, offset + length, 97):
            values.setdefault(place, set()).add(number)
    passed_on, totals = assemble(talk.pcap(), policy, stream_limit=stream_limit, total_limit=stream_limit + more)
    delivered = content(passed_on)
    for place in values.keys() & delivered.keys():
        assert delivered[place] is None or delivered[place] in values[place]
    assert totals["most_waiting"] <= stream_limit + more
    assert totals["dropped"] == 0
    assert all(place in delivered for place in values) or totals["given_up"]


def test_a_consumer_must_let_go_of_a_batch_before_the_next():
    assembler = Assembler(rule=0, stream_limit=1 << 20, total_limit=1 << 20, patience_ns=0, timeout_ns=SECOND)
    talk = Conversation().handshake().c("A", 1, 1, b"one").c("A", 4, 1, b"two")
    batch = next(stages(talk.pcap()))
    assembler.process(batch)
    kept = [memoryview(piece) for piece in assembler.pieces()]
    assert b"".join(kept) == b"onetwo"
    with pytest.raises(BufferError, match="copy what you keep"):
        assembler.forget()
    del kept
    assembler.forget()


def test_an_old_piece_gives_no_bytes():
    assembler = Assembler(rule=0, stream_limit=1 << 20, total_limit=1 << 20, patience_ns=0, timeout_ns=SECOND)
    talk = Conversation().handshake().c("A", 1, 1, b"one").c("A", 4, 1, b"two")
    pieces = []
    for batch in stages(talk.pcap(), frames=1):
        assembler.process(batch)
        pieces.extend(assembler.pieces())
        assert all(map(bytes, pieces[-1:]))
        assembler.forget()
    with pytest.raises(BufferError, match="earlier batch"):
        bytes(pieces[0])


def test_counting_alone_gives_the_same_totals():
    rng = np.random.default_rng(7)
    talk = Conversation().handshake()
    for start in rng.integers(0, 5000, 300):
        talk.c("A", 1 + int(start), 1, int(rng.integers(1, 900)), dt=MS)
    totals = []
    for record in (True, False):
        assembler = Assembler(rule=4, stream_limit=1 << 20, total_limit=1 << 20, patience_ns=SECOND,
                              timeout_ns=SECOND * 100, record=record)
        for batch in stages(talk.pcap()):
            assembler.process(batch)
        assembler.finish()
        totals.append(assembler.totals)
    assert totals[0] == totals[1]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("limit", "patience"), [(2048, 0), (1 << 20, SECOND)])
def test_random_conversations_come_out_without_gap_or_overlap(seed, limit, patience):
    capture = pcap(random_capture(seed, conversations=40), nano=True)
    for policy in POLICIES:
        passed_on, totals = assemble(capture, policy, stream_limit=limit, total_limit=limit, patience=patience)
        streams = {piece[0] for piece in passed_on}
        kinds = [piece[2] for piece in passed_on]
        for stream in streams:
            for direction in (0, 1):
                content([piece for piece in passed_on if piece[0] == stream], direction)
        assert totals["bytes"] == sum(len(piece[5]) for piece in passed_on)
        assert totals["streams"] == kinds.count(ChunkKind.CHUNK_END) >= len(streams)
        assert totals["hole_bytes"] == sum(piece[4] for piece in passed_on if piece[2] in HOLES)
        assert totals["most_waiting"] <= limit


@pytest.mark.parametrize("seed", range(4))
def test_one_pass_and_index_agree_on_random_conversations(seed):
    """Where no stream was reset, after which a scan waits no longer, and no number is far away (rule FAR)."""
    capture = pcap(random_capture(seed, conversations=60), nano=True)
    passed_on, _ = assemble(capture, "linux", patience=10**15, timeout=10**18)
    resets = {int(row["stream"]) for batch in stages(capture) for row in batch.array if row["flags"] & 4}
    streams = tcpkit.open(io.BytesIO(capture)).streams
    compared = 0
    for stream in {piece[0] for piece in passed_on} - resets:
        sides = [streams[stream].client, streams[stream].server]
        for direction, side in enumerate(reversed(sides) if streams[stream].ends.client else sides):
            if len(side) > 1 << 30:
                continue
            expected = {offset + at: value for offset, length in side.runs()
                        for at, value in enumerate(side.read(offset, length))}
            found = content([piece for piece in passed_on if piece[0] == stream], direction)
            assert {place: value for place, value in found.items() if value is not None} == expected
            compared += 1
    assert compared > 10
