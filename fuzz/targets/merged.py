"""Several captures read as one, and what comes of that written again."""
import contextlib
import io
from collections.abc import Iterator
from functools import partial

from passes import FRAMES
from script import Script

from conversations import random_capture
from packets import pcap, pcapng
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.capture_writer import encode
from tcpcore.errors import CaptureError
from tcpcore.merge import MergedReader


def opened(capture: bytes, _others: int) -> Reader:
    return Reader(io.BytesIO(capture))


def one(data: bytes) -> None:
    script = Script(data)
    parts = []
    while script and len(parts) < 5:
        first = script.number()
        parts.append((first, partial(opened, script.take(script.number(2)))))
    snaplen, batch = script.number(), Batch(FRAMES)
    with contextlib.suppress(CaptureError):
        reader = MergedReader(parts)
        while reader.next(batch):
            encode(batch, pcapng=True)
            encode(batch, pcapng=False, snaplen=snaplen)


def seeds() -> Iterator[bytes]:
    frames = random_capture(4, conversations=3, steps=6)[:18]
    thirds = [frames[at::3] for at in range(3)]
    for write in (pcap, pcapng):
        for places in ((0, 0, 0), (0, 1, 2), (2, 0, 1)):
            captures = map(write, thirds)
            yield b"".join(bytes([first]) + len(capture).to_bytes(2, "big") + capture
                           for first, capture in zip(places, captures, strict=True))
