"""Large hostile captures, made fast: one packet many times over, with some of its fields different each time."""
from __future__ import annotations

import struct

import numpy as np

from packets import ipv4, tcp

RAW_IP = 101
START = 1_700_000_000_000_000_000
# Byte offsets in an IPv4 packet without options, and type, of what attacks vary.
FIELDS = {"ident": (4, ">u2"), "fragment": (6, ">u2"), "source": (12, ">u4"), "target": (16, ">u4"),
          "sport": (20, ">u2"), "dport": (22, ">u2"), "seq": (24, ">u4"), "ack": (28, ">u4"), "flags": (33, "u1"),
          "window": (34, ">u2"), "sack": (44, ">u4")}


def header(link_type: int = RAW_IP) -> bytes:
    """Of a capture with times in nanoseconds."""
    return struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, link_type)


def records(packet: bytes, n: int, *, step_ns: int = 1000, start: int = START, **fields: np.ndarray) -> bytes:
    """``packet`` ``n`` times, each field as its array says."""
    rows = np.zeros((n, 16 + len(packet)), np.uint8)
    rows[:, 16:] = np.frombuffer(packet, np.uint8)
    times = start + step_ns * np.arange(n, dtype=np.int64)
    put(rows, 0, "<u4", times // 10**9)
    put(rows, 4, "<u4", times % 10**9)
    put(rows, 8, "<u4", np.full(n, len(packet)))
    put(rows, 12, "<u4", np.full(n, len(packet)))
    for name, values in fields.items():
        at, kind = FIELDS[name]
        put(rows, 16 + at, kind, np.asarray(values))
    return rows.tobytes()


def put(rows: np.ndarray, at: int, kind: str, values: np.ndarray) -> None:
    size = np.dtype(kind).itemsize
    rows[:, at:at + size] = values.astype(kind).reshape(-1, 1).view(np.uint8)


def segment(flags: str = "A", payload: bytes = b"", options: bytes = b"", seq: int = 1000, ack: int = 1) -> bytes:
    return ipv4("10.0.0.1", "10.0.0.2", tcp(5000, 80, seq, ack, flags, payload=payload, options=options))


def opening(n: int = 2) -> bytes:
    """The SYN, and the SYN+ACK, of the connection that the segments belong to, as records."""
    syn = ipv4("10.0.0.1", "10.0.0.2", tcp(5000, 80, 999, 0, "S"))
    answer = ipv4("10.0.0.2", "10.0.0.1", tcp(80, 5000, 0, 1000, "SA"))
    return b"".join(records(each, 1, start=START - 2000 + 1000 * i) for i, each in enumerate((syn, answer)[:n]))
