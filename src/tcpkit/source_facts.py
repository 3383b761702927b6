"""What is known of a source before it is read."""
from __future__ import annotations

import os
import stat
from typing import Any

from tcpkit.errors import CaptureError
from tcpkit.sources import STANDARD_INPUT, is_location, locations, name_of

SMALL = 4 << 20                  # bytes of capture that are not worth a thread
MOST_THREADS = 4                 # with more the slowest stage is no faster


def keep_source(source: Any) -> Any:
    """The source in a form that can be gone through again."""
    return source if is_location(source) else locations(source)


def position_of(location: Any) -> int | None:
    """Where a file object stands now, if it can be set back to it."""
    return location.tell() if hasattr(location, "seekable") and location.seekable() else None


def go_back(location: Any, position: int | None, why: str = "") -> None:
    """Set a file object back, to read it again; CaptureError, with the reason, for what gives its bytes only once."""
    if hasattr(location, "readinto") and position is not None:
        location.seek(position)
    elif comes_once(location):
        raise CaptureError(name_of(location), f"can be read only once{why}")


def comes_once(location: Any) -> bool:
    """Whether it is a file object or a pipe, also one that has a name, which would have to be written again."""
    try:
        return (hasattr(location, "readinto") or os.fspath(location) == STANDARD_INPUT
                or stat.S_ISFIFO(os.stat(location).st_mode))
    except OSError:
        return False


def is_same_file(path: str | os.PathLike[str], source: Any) -> bool:
    """Whether both are the same file, of which ``source`` may be a path or an open file."""
    try:
        other = os.stat(source if isinstance(source, str | os.PathLike) else source.fileno())
        return os.path.samestat(os.stat(path), other)
    except (OSError, ValueError, AttributeError):    # there is none, or none that the system knows
        return False


def size_of(source: Any) -> int:
    """Bytes of the capture, if that is known beforehand."""
    return os.path.getsize(source) if isinstance(source, str | os.PathLike) and os.path.isfile(source) else 0


def worthwhile_threads(size: int) -> int:
    """One for each core, unless the capture is known to be small: the stages go on beside each other."""
    return 1 if 0 < size < SMALL else min(MOST_THREADS, len(os.sched_getaffinity(0)))
