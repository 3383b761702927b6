"""What is known of a source before it is read."""
from __future__ import annotations

import os
from typing import Any

from tcpkit.sources import is_location, locations

SMALL = 4 << 20                  # bytes of capture that are not worth a thread
MOST_THREADS = 4                 # with more the slowest stage is no faster


def keep_source(source: Any) -> Any:
    """The source in a form that can be gone through again."""
    return source if is_location(source) else locations(source)


def position_of(source: Any) -> int | None:
    """Where a file object stands now, if it can be set back to it."""
    return source.tell() if hasattr(source, "seekable") and source.seekable() else None


def is_same_file(path: str | os.PathLike[str], source: Any) -> bool:
    """Whether both are the same file."""
    return isinstance(source, str | os.PathLike) and os.path.exists(path) and os.path.exists(source) \
        and os.path.samefile(path, source)


def size_of(source: Any) -> int:
    """Bytes of the capture, if that is known beforehand."""
    return os.path.getsize(source) if isinstance(source, str | os.PathLike) and os.path.isfile(source) else 0


def worthwhile_threads(size: int) -> int:
    """One for each core, unless the capture is known to be small: the stages go on beside each other."""
    return 1 if 0 < size < SMALL else min(MOST_THREADS, len(os.sched_getaffinity(0)))
