"""What is known of a source before it is read."""
from __future__ import annotations

import os
from typing import Any


def keep_source(source: Any) -> Any:
    """The source in a form that can be gone through again."""
    return source if hasattr(source, "readinto") or isinstance(source, str | os.PathLike) else list(source)


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
