"""Segments sent again: a small conversation by hand, and random ones beside the analysis of every packet."""
from __future__ import annotations

import io

import numpy as np
import pytest

import tcpkit
from conversations import random_capture
from packets import MS, Conversation, pcap, sack
from tcpcore.batch import Batch
from tcpcore.records import VERDICT
from tcpkit.corrections import Corrections


@pytest.fixture(scope="module")
def talk():
    """A timeout, a fast and a spurious retransmission."""
    talk = Conversation().handshake(rtt=20 * MS)
    talk.c("PA", 1, 1, 100)                                      # 4
    talk.c("PA", 1, 1, 100, dt=300 * MS)                         # 5: after 300 ms
    talk.s("A", 1, 101)                                          # 6
    talk.c("PA", 101, 1, 100).c("PA", 201, 1, 100).c("PA", 301, 1, 100)      # 7 8 9
    talk.s("A", 1, 101).s("A", 1, 101, dt=MS)                    # 10 11
    talk.c("PA", 101, 1, 100, dt=MS)                             # 12: fast
    talk.s("A", 1, 401)                                          # 13
    talk.c("PA", 301, 1, 100, dt=100 * MS)                       # 14: spurious
    return tcpkit.open(io.BytesIO(talk.pcap(nano=True))).retransmissions


def test_rows_name_what_was_sent_again(talk):
    assert talk["frame"].tolist() == [5, 12, 14]
    assert talk["tcp.seq"].tolist() == [1, 101, 301]
    assert talk["tcp.len"].tolist() == [100, 100, 100]
    assert talk["kind"].tolist() == ["retransmission", "fast_retransmission", "spurious_retransmission"]
    assert set(zip(talk["src"], talk["dst_port"], strict=True)) == {("10.0.0.1", 60000)}


def test_delay_counts_from_the_original(talk):
    assert talk["original"].tolist() == [4, 7, 9]
    assert talk["delay"].astype(int).tolist() == [300 * MS, 32 * MS, 122 * MS]


def test_nothing_sent_again_is_an_empty_table():
    table = tcpkit.open(io.BytesIO(Conversation().handshake().pcap())).retransmissions
    assert len(table) == 0
    assert "0 rows" in repr(table)
    assert table.to_text("csv").startswith(b"stream,")


@pytest.mark.parametrize("seed", range(4))
def test_rows_are_the_packets_that_either_calls_sent_again(seed):
    capture = pcap(random_capture(seed, conversations=40), nano=True)
    table = tcpkit.open(io.BytesIO(capture)).retransmissions
    everything = tcpkit.open(io.BytesIO(capture)).packets
    packets = everything.where('tcp.analysis.retransmission || tcpkit.segment.kind == "retransmission"')
    assert len(table) > 5
    assert table["frame"][table["kind"] == "out_of_order"].tolist() == packets.where(
        "tcp.analysis.out_of_order")["frame"].tolist()
    for name in ("frame", "stream", "direction", "time", "seq", "payload_len", "src", "dst", "src_port"):
        assert table[name].tolist() == packets[name].tolist()
    assert table["original"].tolist() == packets["original"].tolist()
    times = dict(zip(everything["frame"].tolist(), everything["time"], strict=True))
    for row in (table[i] for i in range(len(table))):
        if row["original"] is not None:
            assert row["delay"] == row["time"] - times[row["original"]]


def test_verdicts_stand_beside_what_tshark_says(talk):
    assert talk["verdict"].tolist() == ["retransmission"] * 3
    assert talk["cause"].tolist()[0] == "timeout"
    assert all(0 < confidence <= 100 for confidence in talk["confidence"])


def test_verdicts_are_those_of_the_packets():
    capture = tcpkit.open(io.BytesIO(pcap(random_capture(1, conversations=120), nano=True)))
    table, packets = capture.retransmissions, capture.packets
    assert len(packets) > 2048                                   # more than a batch holds
    packets = packets[np.isin(packets["frame"], table["frame"])]
    assert table["frame"].tolist() == packets["frame"].tolist()
    for ours, theirs in (("verdict", "kind"), ("cause", "cause"), ("confidence", "confidence")):
        assert table[ours].tolist() == packets[theirs].tolist()


def corrected(*verdicts):
    """A batch whose verdict stage has found (frame, cause) of earlier batches."""
    batch, rows = Batch(1), np.zeros(len(verdicts), VERDICT)
    rows["cause"] = [cause for _, cause in verdicts]
    frames = np.array([frame for frame, _ in verdicts], np.uint64)
    batch.corrections = (frames, rows, frames + 1) if verdicts else None
    return batch


def test_the_last_correction_of_a_frame_counts():
    rows = np.zeros(4, [("frame", np.uint64), ("cause", np.uint8), ("seq", np.uint32)])
    rows["frame"], rows["cause"], rows["seq"] = [2, 3, 7, 9], [1, 1, 1, 1], 5
    corrections = Corrections()
    for batch in (corrected((7, 2), (3, 2)), corrected(), corrected((7, 3), (8, 4), (7, 5))):
        corrections.collect(batch)
    corrections.apply(rows)
    assert rows["cause"].tolist() == [1, 2, 5, 1]
    assert rows["seq"].tolist() == [5] * 4


# -- the original

def originals(conversation):
    table = tcpkit.open(io.BytesIO(conversation.pcap(nano=True))).retransmissions
    return {row["frame"]: (row["original"], row["delay"] and int(row["delay"].astype("int64"))) for row in table}


def test_the_original_is_the_first_with_any_of_the_bytes():
    a = Conversation().handshake().c("A", 1, 1, 100).c("A", 101, 1, 100).c("A", 201, 1, 100)
    a.c("A", 101, 1, 100, dt=300 * MS).c("A", 150, 1, 100, dt=300 * MS)
    assert originals(a) == {7: (5, 310 * MS), 8: (5, 610 * MS)}


def test_the_original_of_a_fast_retransmission():
    a = Conversation().handshake().c("A", 1, 1, 100).c("A", 101, 1, 100)
    for _ in range(3):
        a.s("A", 1, 1, options=sack((a.client_isn + 101, a.client_isn + 201)), dt=MS)
    a.c("A", 1, 1, 100, dt=MS)
    assert originals(a) == {9: (4, 14 * MS)}


def test_the_original_of_what_was_acknowledged():
    a = Conversation().handshake().c("A", 1, 1, 100).s("A", 1, 101).c("A", 1, 1, 100, dt=300 * MS)
    assert originals(a) == {6: (4, 310 * MS)}


def test_the_original_of_what_was_acknowledged_long_ago():
    a = Conversation().handshake().c("A", 1, 1, 100).c("A", 101, 1, 100).s("A", 1, 201).c("A", 1, 1, 100, dt=300 * MS)
    assert originals(a) == {7: (4, 320 * MS)}


def test_the_original_of_a_syn():
    a = Conversation().c("S", 0).c("S", 0, dt=1000 * MS).c("S", 0, dt=2000 * MS)
    assert originals(a) == {2: (1, 1000 * MS), 3: (2, 2000 * MS)}
