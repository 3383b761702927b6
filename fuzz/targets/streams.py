"""The bytes of streams, by every overlap policy and under tight limits, out of the same segments.

In each direction the offsets follow each other, and what the index tells can be read.
"""
import contextlib
import io
from collections.abc import Iterator

from script import Script
from segments import write_capture

import tcpkit
from targets import segments
from tcpkit.policies import POLICIES

POLICY_OF = {rule: name for name, rule in POLICIES.items()}
LIMITS = (1 << 16, 1 << 16, 2048, 8192)


def one(data: bytes) -> None:
    script = Script(data[:segments.LARGEST])
    policy, limit = script.choose(sorted(POLICY_OF.values())), script.choose(LIMITS)
    capture = write_capture(script)
    with contextlib.suppress(tcpkit.CaptureError):
        check_scan(capture, policy, limit)
        check_index(capture, policy)


def check_scan(capture: bytes, policy: str, limit: int) -> None:
    places: dict[tuple[int, int], int] = {}
    for piece in tcpkit.scan_streams(io.BytesIO(capture), policy=policy, stream_limit=limit, memory_limit=4 * limit,
                                     threads=1):
        if piece.length:
            side = piece.stream, piece.direction
            assert piece.offset == places.get(side, 0), (side, piece.offset, places)
            places[side] = piece.offset + piece.length
        bytes(piece)


def check_index(capture: bytes, policy: str) -> None:
    for stream in tcpkit.open(io.BytesIO(capture), threads=1).streams.with_policy(policy):
        for side in (stream.client, stream.server):
            end = 0
            for run in side.runs():
                assert run.offset >= end
                assert len(side.read(*run)) == run.length
                end = run.offset + run.length


def seeds() -> Iterator[bytes]:
    for i in range(len(POLICY_OF)):
        yield from segments.seeds_of(bytes([i, i % len(LIMITS)]))
