"""Compressed captures: any bytes as each format, and damaged ones."""
import bz2
import gzip
import lzma
from collections.abc import Iterator

import lz4.frame
import passes
import zstandard

from conversations import random_capture
from packets import pcap


def one(data: bytes) -> None:
    passes.run_stages(data)


def seeds() -> Iterator[bytes]:
    capture = pcap(random_capture(5, conversations=3, steps=6)[:8])
    for compress in (gzip.compress, zstandard.compress, lz4.frame.compress, lzma.compress, bz2.compress):
        yield compress(capture)
        yield compress(capture[:100]) + compress(capture[100:])
