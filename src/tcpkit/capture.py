"""A capture as tables, whole or batch by batch."""
from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from operator import index
from typing import TYPE_CHECKING

import numpy as np

from tcpkit.columns import Schema
from tcpkit.connection_tables import ConnectionTables
from tcpkit.fields import find_columns, stages_of
from tcpkit.packet_columns import SCHEMA
from tcpkit.pipeline import Pipeline
from tcpkit.rotated import refuse_own
from tcpkit.table import Table

if TYPE_CHECKING:
    from tcpkit.http import Exchange
    from tcpkit.info import CaptureInfo
    from tcpkit.quality import Flaw
    from tcpkit.streams import Streams
    from tcpkit.threats import Attempts


class Capture(ConnectionTables):
    """A capture as tables, each computed when it is first asked for, then kept.

    Flows and the like are read without holding packets.  Damage ends the reading early: what came before
    it is delivered, and ``warnings`` tells of it; with ``strict``, CaptureError is raised instead.
    """

    @cached_property
    def info(self) -> CaptureInfo:
        """What the capture is: files, interfaces, counts, times, who made it; its ``quality`` too."""
        from tcpcore.quality import SLOT_BYTES
        from tcpkit.info import survey

        return survey(self.pipeline(("flows",), beside=SLOT_BYTES))

    @property
    def quality(self) -> tuple[Flaw, ...]:
        """What in the capture would mislead: each with its count, first frames, and what it does to the results."""
        return self.info.quality

    @cached_property
    def packets(self) -> Table:
        """One row for each frame with TCP; takes some 340 bytes a row."""
        from tcpkit.corrections import Corrections
        from tcpkit.rows import RowStore

        pipeline = self.pipeline(detail="all")
        store, corrections = RowStore(pipeline.batch.dtype), Corrections()
        for batch in pipeline:
            store.append(batch)
            corrections.collect(batch)
        array, tunnels = store.finish()
        corrections.apply(array)
        return Table(array, schema_of(pipeline), tunnels=tunnels, start_ns=pipeline.start_ns)

    def batches(self, columns: Sequence[str] | None = None, *, where: str = "",
                settled: bool = False) -> Iterator[Table]:
        """The packets table piece by piece, some thousand rows each, at least one piece, in bounded memory.

        Verdicts are the first ones; what a piece changes in them, its own or those given before, are its
        ``corrections``, a table of frame numbers with their new verdicts, or None.  With ``settled`` rows come later
        instead, with all that the next 16,384 frames change, and so do all rows of a shorter capture.
        ``columns``: all that will be looked at; stages that none of them needs are not run.  ``where``: a display
        filter that chooses the rows.
        """
        from tcpkit.corrections import correction_table

        stages = () if columns is None else {"decode", *stages_of(find_columns(columns, SCHEMA.columns))}
        pipeline = self.pipeline(stages, where)
        table = None
        for rows, tunnels, changes in pipeline.pieces(settled=settled and not self.follow):
            if table is None:
                table = _no_rows(pipeline)
            piece = table.like(rows, tunnels)
            piece.corrections = correction_table(changes) if changes else None
            yield piece
        if table is None:
            yield _no_rows(pipeline)

    def write(self, path: str | os.PathLike[str], *, where: str = "", streams: Iterable[int] | None = None) -> int:
        """Write the capture's frames to ``path``: pcapng if its name ends so, else pcap; how many there were.

        With ``where`` (a display filter) only frames with TCP that it selects; of a fragmented datagram that is the
        frame that completes it.  With ``streams`` only frames of these connections.  Memory does not grow with the
        capture.  CaptureError if ``path`` cannot be written, IndexError if there is no such stream; what ``path``
        held stays if there are no frames of any.
        """
        from tcpkit.capture_writer import CaptureWriter
        from tcpkit.connection import LAST, no_stream

        refuse_own(path, self._source)
        numbers = [] if streams is None else list(map(index, streams))      # which may be an array
        if streams is not None and not numbers:
            return 0
        if numbers:
            for number in (min(numbers), max(numbers)):
                if not 0 <= number <= LAST:      # which no filter may ask for
                    raise no_stream(number)
            chosen = f"tcp.stream in {{{', '.join(map(str, numbers))}}}"
            where = f"({where}) and {chosen}" if where else chosen
        pipeline = self.pipeline(("decode",), where, payload=True, threads=1)  # interfaces are written as they are met
        with CaptureWriter(path, interfaces=pipeline.reader.interfaces) as writer:
            for batch in pipeline:
                if where:
                    batch.keep_frames(np.isin(batch.frame_array["number"], batch.array["frame"]))
                writer.write(batch)
            missing = [number for number in numbers if number >= self.n_flows]
            if missing:
                raise no_stream(missing[0])
        return writer.frames

    @cached_property
    def streams(self) -> Streams:
        """The bytes of every connection, in order, as slices of the capture.

        A capture that cannot be read again at an offset (compressed, several files, a pipe) keeps its payloads in
        memory; ``scan_streams`` does not.
        """
        from tcpkit.stream_bytes import PayloadBytes, plain_file
        from tcpkit.streams import index_streams

        payload = PayloadBytes(plain_file(self._source))
        return index_streams(self.pipeline(("flows",), payload=payload.keeps_all), payload)

    @cached_property
    def http(self) -> list[Exchange]:
        """The HTTP/1.x requests with their responses.  Needs httptools."""
        from tcpkit.http import exchanges

        return list(exchanges(self))

    @cached_property
    def threats(self) -> Table:
        """SYN floods, scans and dead servers, the largest first, each with its evidence."""
        return self._attempts.threat_table()

    @cached_property
    def half_open(self) -> Table:
        """Handshakes under way at each server and port over time; of more than 4,096 services the busiest."""
        return self._attempts.half_open_table()

    @cached_property
    def _attempts(self) -> Attempts:
        from tcpkit.budget import added_up
        from tcpkit.threats import Attempts

        room = added_up(self._memory_limit)
        return Attempts(self._streams("flows", "lifecycle", detail="all", added_up=room), room)


def _no_rows(pipeline: Pipeline) -> Table:
    return Table(np.empty(0, pipeline.batch.dtype), schema_of(pipeline), start_ns=pipeline.start_ns)


def schema_of(pipeline: Pipeline) -> Schema:
    """The packets table without the columns whose stage is not run."""
    return SCHEMA._replace(columns=tuple(column for column in SCHEMA.columns if column.stage in pipeline.stages))
