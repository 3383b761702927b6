"""What a pass takes it gives back: memory does not grow from one pass to the next, also where captures are damaged."""
from __future__ import annotations

import pytest

from confined import MIB, run
from conversations import random_capture
from fragment_trains import frames, trains
from packets import Frame, pcap, pcapng

WORK = """
    import gc, os

    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def every_way():
        capture = tcpkit.open(path, threads=1)
        for table in (capture.info, capture.packets, capture.flows, capture.directions, capture.handshakes,
                      capture.retransmissions, capture.threats, capture.conversations, capture.http):
            repr(table)
        for stream in capture.streams:
            repr(stream)
        tcpkit.scan_streams(path).run()
        tcpkit.open(path, threads=2, capture_filter="tcp").packets.to_text("json")

    told = []
    for _ in range(4):
        begun = resident()
        for _ in range(15):
            every_way()
        gc.collect()
        told.append(resident() - begun)
"""
CAPTURES = {
    "whole": lambda: pcapng(random_capture(1, conversations=40)),
    "damaged": lambda: pcap(random_capture(2, conversations=40))[:-7],
    "long": lambda: pcap([Frame(frame.time, frame.data + bytes(900), frame.wire_len + 900)
                          for frame in random_capture(3, conversations=40)]),
    "fragments": lambda: pcap(frames(trains(3, 200))),
}


@pytest.mark.parametrize("kind", CAPTURES)
def test_memory_does_not_grow(tmp_path, kind):
    """Not in every round: what threads take of the allocator's stays now and then."""
    path = tmp_path / "x"
    path.write_bytes(CAPTURES[kind]())
    assert min(run(WORK, path, memory=400 * MIB).told[1:]) < MIB // 4
