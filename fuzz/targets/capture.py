"""Capture files of any format, as they come."""
from collections.abc import Iterator

import passes

from conversations import random_capture
from packets import pcap, pcapng


def one(data: bytes) -> None:
    passes.run_stages(data)


def seeds() -> Iterator[bytes]:
    frames = random_capture(1, conversations=4, steps=10)[:12]
    for order in "<>":
        yield pcap(frames, order=order)
        yield pcap(frames, order=order, nano=True)
        yield pcapng(frames, order=order)
