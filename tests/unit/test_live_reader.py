"""Batches from a handle that gives packets as pcapy-ng does."""
from __future__ import annotations

import struct

import pytest

from tcpcore.batch import Batch
from tcpcore.live_reader import LiveReader


class Handle:
    """Has ``packets``, then nothing more; with ``fails`` it breaks when they are over."""

    def __init__(self, packets: list[bytes], *, fails: bool = False) -> None:
        self.packets = packets
        self.fails = fails
        self.calls: list[int] = []

    def datalink(self) -> int:
        return 1

    def next_batch(self, max_n: int) -> tuple[bytes, bytes]:
        self.calls.append(max_n)
        given, self.packets = self.packets[:max_n], self.packets[max_n:]
        if not given and self.fails:
            self.fails = False
            raise OSError("gone")
        meta, offset = b"", 0
        for packet in given:
            meta += struct.pack("=IIII", 7, 8, offset, len(packet))
            offset += len(packet)
        return b"".join(given), meta


def batches(handle: Handle, limit: int = 10_000, batch: Batch | None = None) -> list[list[bytes]]:
    """The packets of each batch until one is empty; numbers and places must go on from batch to batch."""
    reader, batch, found = LiveReader(handle), batch or Batch(), []
    number = position = 0
    while True:
        reader.fill(batch, limit)
        packets = []
        for frame in batch.frame_array:
            number += 1
            assert (frame["number"], frame["offset"], frame["time_ns"]) == (number, position, 7_000_008_000)
            assert frame["cap_len"] == frame["wire_len"]
            start = position - batch.data_offset
            packets.append(batch.data_bytes[start:start + frame["cap_len"]])
            position += int(frame["cap_len"])
        if not packets:
            return found
        assert reader.drained == (not handle.packets and len(packets) < min(limit, batch.frame_capacity))
        found.append(packets)


def packets(n: int, size: int) -> list[bytes]:
    return [bytes([i % 251]) * (size + i % 7) for i in range(n)]


@pytest.mark.parametrize(("n", "size", "limit"), [(1, 60, 10_000), (5000, 60, 10_000), (3000, 1500, 10_000),
                                                  (40, 60_000, 10_000), (100, 60, 7), (64, 60, 32)])
def test_all_packets_come_in_order(n, size, limit):
    given = packets(n, size)
    found = batches(Handle(given), limit)
    assert [packet for batch in found for packet in batch] == given
    assert max(map(len, found)) <= min(limit, 2048)


def test_a_batch_has_about_half_a_megabyte():
    sizes = [sum(map(len, batch)) for batch in batches(Handle(packets(5000, 1500)))]
    assert max(sizes) <= (1 << 19) + (1 << 17)
    assert len(sizes) < 20


def test_few_packets_are_asked_for_if_they_are_large():
    handle = Handle(packets(200, 60_000))
    batches(handle)
    assert max(handle.calls) == 32
    handle = Handle(packets(5000, 60))
    batches(handle)
    assert max(handle.calls) > 900


def test_what_came_before_a_failure_is_delivered_first():
    handle = Handle(packets(32, 60), fails=True)
    reader, batch = LiveReader(handle), Batch()
    reader.fill(batch, 10_000)
    assert batch.n_frames == 32
    for _ in range(2):
        with pytest.raises(OSError, match="gone"):
            reader.fill(batch, 10_000)
        assert batch.n_frames == 0


def test_a_batch_holds_no_more_than_it_has_room_for():
    class Liar(Handle):
        def next_batch(self, max_n: int) -> tuple[bytes, bytes]:
            return super().next_batch(max_n + 1)

    with pytest.raises(ValueError, match="more packets than the batch holds"):
        LiveReader(Liar(packets(100, 60))).fill(Batch(frames=32), 10_000)


def test_packets_without_a_byte():
    assert batches(Handle([b"", b""])) == [[b"", b""]]
