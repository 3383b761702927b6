"""``open`` and ``scan``."""
from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from tcpkit.budget import LIMIT
from tcpkit.capture import Capture
from tcpkit.columns import Stage
from tcpkit.pipeline import MSL, Observer
from tcpkit.stages import ALL_STAGES
from tcpkit.table import Table

if TYPE_CHECKING:
    from tcpkit.passes import SourceLike


def open(source: SourceLike, *, stages: Iterable[Stage] = ALL_STAGES, capture_filter: str = "", strict: bool = False,
         follow: bool = False, threads: int = 0, msl: float = MSL, memory_limit: int = LIMIT,
         idle_timeout: float = 0.0, observer: Observer | None = None) -> Capture:
    """The capture in ``source``: a path, "-" for standard input, a glob pattern, a directory, a URL, a binary file
    object, or a list of these, which are then one capture in order of time.  Decompressed by content.

    ``stages`` says how far the work goes, any of "decode", "flows", "analysis", "lifecycle" and "verdicts" (each with
    what it builds on): the packets and flows tables have the columns of these stages only, and cost only them.
    ``capture_filter`` (libpcap's syntax) leaves out frames as if they had not been captured.  ``strict``: damage is an
    error too.  ``follow``: a file that is still being written, read until it is closed for good.  ``threads``: how many
    may work on a pass (0: as many as help); what comes out is the same.  ``msl``: seconds that a segment may live;
    TIME-WAIT lasts twice as long.  ``memory_limit``: bytes (4 GiB); when they run out, connections that are over or
    silent are given up, and ``budget`` tells of it.  ``idle_timeout``: seconds (of the capture) of silence that end a
    connection, so that what comes later is another one; 0: none do.  ``observer`` is called with the Pipeline after
    each batch, and may set its ``stopped``.

    CaptureError if it is no capture or cannot be read; FilterError for a wrong filter; ValueError for a memory limit
    that is too small, a time below 0 and the like, TypeError for what is neither a source nor a list of them.
    """
    return Capture(source, stages=stages, capture_filter=capture_filter, strict=strict, follow=follow,
                   threads=threads, msl=msl, memory_limit=memory_limit, idle_timeout=idle_timeout, observer=observer)


def scan(source: SourceLike, *, stages: Iterable[Stage] = ALL_STAGES, columns: Sequence[str] | None = None,
         where: str = "", capture_filter: str = "", strict: bool = False, threads: int = 0,
         memory_limit: int = LIMIT, idle_timeout: float = 0.0, settled: bool = False) -> Iterator[Table]:
    """The packets of a capture piece by piece, in bounded memory: ``open(source).batches(columns, where=where)``.

    How far the work goes, and what it costs, follows from ``columns``, or else from ``stages``:
    ``scan(path, stages=["decode"])`` reads headers only, ``scan(path, columns=["tcp.stream"])`` tells flows apart,
    ``scan(path)`` fills every column.  ``tcpkit.fields.contract_names()`` lists them.  Verdicts are the first ones,
    and later pieces bring ``corrections``; with ``settled`` rows wait until these are in them (``Capture.batches``).
    """
    opened = Capture(source, stages=stages, capture_filter=capture_filter, strict=strict, threads=threads,
                     memory_limit=memory_limit, idle_timeout=idle_timeout)
    return opened.batches(columns, where=where, settled=settled)
