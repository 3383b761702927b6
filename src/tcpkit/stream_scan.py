"""``scan_streams``: every stream of a capture, its bytes in order, in one pass and bounded memory."""
from __future__ import annotations

from _thread import allocate_lock
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tcpcore.streams import SLOT_BYTES, Assembler, Piece
from tcpkit.budget import Budget, checked_seconds
from tcpkit.capture import Capture
from tcpkit.follow import Ends, ends_in, ends_of
from tcpkit.pipeline import Observer, Pipeline, alone
from tcpkit.policies import DEFAULT_POLICY, rule_of
from tcpkit.values import Array

if TYPE_CHECKING:
    from tcpkit.errors import CaptureError
    from tcpkit.passes import SourceLike

STREAM_LIMIT = 16 << 20          # bytes
MEMORY_LIMIT = 64 << 20
SECOND = 1_000_000_000


@dataclass(frozen=True)
class Account:
    """What a scan has done so far, and what its limits cost."""

    chunks: int                  # runs of bytes passed on
    bytes: int                   # passed on
    copied: int                  # of these, bytes that had to wait behind a hole
    repeated: int                # bytes that came again, or too late
    holes: int
    hole_bytes: int              # bytes of the streams that are not in the capture, or came after they were given up
    cut: int                     # bytes the snap length cut off
    outside: int                 # bytes too far ahead to belong to their stream
    streams: int                 # that ended
    resumed: int                 # that went on after they had ended
    given_up: int                # holes given up because a limit was reached: what filled them later was left out
    dropped: int                 # bytes that found no room at all
    most_waiting: int            # memory used for bytes behind holes, at most


class StreamScan:
    """One pass over a capture.  Iterating gives Pieces: bytes in order, holes, and the ends of streams.

    A piece says stream, direction, offset, length, kind (ChunkKind), time_ns and frame; its bytes are good until the
    next piece is asked for: ``bytes(piece)`` copies them, ``memoryview(piece)`` does not.  Streams interleave as in
    the capture; in each direction the offsets follow each other without gap or overlap.
    """

    def __init__(self, capture: Capture, *, policy: str = DEFAULT_POLICY, stream_limit: int = STREAM_LIMIT,
                 memory_limit: int = MEMORY_LIMIT, patience: float = 1.0, timeout: float = 3600.0,
                 record: bool = True) -> None:
        self._assembler = Assembler(rule=rule_of(policy), stream_limit=stream_limit, total_limit=memory_limit,
                                    patience_ns=round(checked_seconds(patience, "patience: 0") * SECOND),
                                    timeout_ns=round(checked_seconds(timeout, "time-out: 0") * SECOND), record=record)
        self._pipeline: Pipeline = capture.pipeline(("flows",), in_step=True, payload=True, beside=SLOT_BYTES)
        self._lock = allocate_lock()
        self._piece: Piece | None = None         # the present one
        self._released: Array | None = None      # rows of the streams that have just given up their places

    def __iter__(self) -> Iterator[Piece]:
        for _ in self._steps():
            for piece in self._assembler.pieces():
                self._piece = piece
                yield piece

    def chunks(self) -> Iterator[Array]:
        """The same as CHUNK rows, some thousand at a time, for who does not want the bytes one by one."""
        for _ in self._steps():
            yield self._assembler.chunks

    def run(self) -> Account:
        """The whole pass, for its account."""
        for _ in self._steps():
            pass
        return self.account

    @property
    def account(self) -> Account:
        return Account(**self._assembler.totals)

    @property
    def budget(self) -> Budget:
        """The memory used for streams; those given up for want of it end with END_EVICTED."""
        return self._pipeline.budget

    @property
    def n_streams(self) -> int:
        """Streams met so far, with bytes or without."""
        assert self._pipeline.flows
        return self._pipeline.flows.n_streams

    @property
    def warnings(self) -> list[CaptureError]:
        """The damage that ended the reading early, if any."""
        return self._pipeline.warnings

    def ends(self, stream: int) -> Ends:
        """Addresses and ports of the present piece's stream, or of another that is held; the client's direction."""
        assert self._pipeline.flows
        if self._released is not None and (found := self._released[self._released["stream"] == stream]).size:
            return ends_in(found[0])
        place = self._piece.slot if self._piece and self._piece.stream == stream else stream
        ends = ends_of(self._pipeline.flows, stream, place)
        if ends is None:
            raise KeyError(f"no stream {stream} has been met, or it has been given up")
        return ends

    def _steps(self) -> Iterator[None]:
        """After each the assembler holds what has been passed on."""
        with alone(self._lock):
            for batch in self._pipeline:
                self._assembler.process(batch)
                self._released = None if batch.released is None else batch.released["flows"]
                yield
                self._assembler.forget()
            self._released = None
            more = True
            while more:
                more = self._assembler.finish()
                yield
            self._assembler.forget()


def scan_streams(source: SourceLike, *, policy: str = DEFAULT_POLICY, stream_limit: int = STREAM_LIMIT,
                 memory_limit: int = MEMORY_LIMIT, patience: float = 1.0, timeout: float = 3600.0,
                 capture_filter: str = "", strict: bool = False, threads: int = 0,
                 observer: Observer | None = None) -> StreamScan:
    """Put all streams of a capture back together in one pass, in bounded memory.

    ``policy``: which of several overlapping segments wins (docs/streams.md).  At most ``stream_limit`` bytes wait
    behind a hole in one direction of one stream, ``memory_limit`` in all together, in blocks of 2 KiB; when a limit is
    reached, the hole is given up: the bytes behind it are passed on, and ``account.given_up`` counts it.
    ``patience``: seconds (of the capture) that acknowledged bytes may come late; ``timeout``: seconds of silence that
    end a stream.  The other options are those of ``open``.
    """
    capture = Capture(source, stages=("flows",), capture_filter=capture_filter, strict=strict, threads=threads,
                      observer=observer)
    return StreamScan(capture, policy=policy, stream_limit=stream_limit, memory_limit=memory_limit, patience=patience,
                      timeout=timeout)
