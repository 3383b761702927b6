"""Ways to read a capture that have to give the same bytes: from a file, a pipe or compressed, by one thread or more."""
from __future__ import annotations

import bz2
import gzip
import lzma
import os
import threading
from pathlib import Path

import lz4.frame
import zstandard

import tcpkit

TABLES = ("packets", "flows", "directions", "handshakes")    # the verdicts of packets have heard of all segments
COMPRESSORS = {"gz": lambda data: gzip.compress(data, 1), "zst": zstandard.compress, "lz4": lz4.frame.compress,
               "xz": lambda data: lzma.compress(data, preset=0), "bz2": lambda data: bz2.compress(data, 1)}


def as_text(source, table: str, threads: int) -> bytes:
    try:
        return getattr(tcpkit.open(source, threads=threads), table).to_text("csv")
    except tcpkit.CaptureError as error:
        return error.cause.encode()


def through_pipe(data: bytes, table: str, threads: int) -> bytes:
    reading, writing = os.pipe()

    def feed() -> None:
        with open(writing, "wb") as out:
            out.write(data)

    feeder = threading.Thread(target=feed)
    feeder.start()
    with open(reading, "rb", buffering=0) as source:
        text = as_text(source, table, threads)
        while source.read(1 << 20):              # what is behind the damage that ended the reading
            pass
    feeder.join()
    return text


def disagreement(data: bytes, path: Path, which: int) -> str:
    """Which way of reading gives other bytes; empty if none does.  ``which`` table, and which compression."""
    path.write_bytes(data)
    table, form = TABLES[which % len(TABLES)], [*COMPRESSORS][which % len(COMPRESSORS)]
    expected = as_text(path, table, 1)
    squeezed = path.with_suffix(f".{form}")
    squeezed.write_bytes(COMPRESSORS[form](data))
    ways = {"two threads": lambda: as_text(path, table, 2), "four threads": lambda: as_text(path, table, 4),
            "a pipe": lambda: through_pipe(data, table, 1), f"{form}, two threads": lambda: as_text(squeezed, table, 2)}
    return ", ".join(f"{name} ({table})" for name, way in ways.items() if way() != expected)
