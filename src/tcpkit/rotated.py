"""One capture or several as one: lists, globs and directories of files, in order of time."""
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.magic import looks_like_capture
from tcpcore.merge import MergedReader
from tcpkit.compression import HEAD, find_format
from tcpkit.errors import CaptureError
from tcpkit.source_facts import go_back, is_same_file, position_of
from tcpkit.sources import Location, locations, name_of, open_source

KEPT_OPEN = 32               # files that overlap in time; further ones are open only while they are read
NO_FRAMES = -1 << 63         # the time of a capture without frames: before all others


def open_reader(location: Location | Iterable[Location], *, follow: bool = False) -> Reader | MergedReader:
    """The reader of a capture, or of a list, a glob pattern or a directory of captures in order of time.

    Raises CaptureError if there is nothing to read or if it is not a capture.
    """
    named = locations(location)
    found = files_of(named)
    if not found or "" in found:
        raise CaptureError("capture", "no file is named")
    if follow and (len(found) > 1 or name_of(found[0]) != name_of(named[0])):
        raise CaptureError(name_of(named[0]), "only a single file can be followed")
    if len(found) == 1:
        return _open(found[0], follow=follow)
    return MergedReader([_peek(one) for one in found])


def files_of(location: Location | Iterable[Location]) -> list[Location]:
    """The single captures that ``location`` stands for."""
    return [file for one in locations(location) for file in _expand(one)]


def refuse_own(path: str | os.PathLike[str], location: Location | Iterable[Location]) -> None:
    """CaptureError if to write ``path`` is to destroy what is being read."""
    if any(is_same_file(path, file) for file in files_of(location)):
        raise CaptureError(path, "is being read, so it cannot be written")


def _expand(location: Any) -> list[Location]:
    """The captures that a path stands for."""
    if not isinstance(location, (str, os.PathLike)):
        return [location]
    path = os.fsdecode(location)
    if path == "-" or "://" in path or (os.path.lexists(path) and not os.path.isdir(path)):
        return [path]
    if os.path.isdir(path):
        return _captures_in(path)
    return _captures_called(path) or [path]


def _captures_called(pattern: str) -> list[Location]:
    """The files that a pattern stands for; none if it is no pattern."""
    import glob

    if not glob.has_magic(pattern):
        return []
    files = sorted(file for file in glob.glob(pattern) if not os.path.isdir(file))
    if not files:
        raise CaptureError(pattern, _why_none(os.path.dirname(pattern) or "."))
    return list(files)


def _why_none(directory: str) -> str:
    """Why no file there matches a pattern: glob passes over directories that it cannot list."""
    try:
        os.scandir(directory).close()
    except FileNotFoundError:
        pass
    except OSError as error:
        return error.strerror or str(error)
    return "no file has such a name"


def _captures_in(directory: str) -> list[Location]:
    try:
        files = sorted(file.path for file in os.scandir(directory) if os.path.isfile(file) and _promising(file.path))
    except OSError as error:
        raise CaptureError(directory, error.strerror or str(error)) from None
    if not files:
        raise CaptureError(directory, "a directory without captures")
    return list(files)


def _promising(file: str) -> bool:
    """Whether a file of a directory is a capture, also a compressed one."""
    with open(file, "rb", buffering=0) as raw:
        head = raw.read(HEAD)
    if find_format(head) is None:
        return looks_like_capture(head)
    try:
        _open(file).close()
    except CaptureError:
        return False
    return True


def _peek(location: Any) -> tuple[int, Callable[[int], Reader]]:
    """Time of the first frame, and what opens the capture from its start."""
    start = position_of(location)
    go_back(location, start, ", so it cannot be one of several captures")
    reader = _open(location)
    batch = Batch(1, 65_536)
    time = int(batch.frame_array["time_ns"][0]) if reader.next(batch) else NO_FRAMES
    reader.close()
    return time, partial(_open_again, location, start)


def _open_again(location: Any, start: int | None, others: int) -> Reader:
    go_back(location, start)
    return _open(location, rests=others >= KEPT_OPEN)


def _open(location: Location, *, follow: bool = False, rests: bool = False) -> Reader:
    source = open_source(location, follow=follow, rests=rests)
    try:
        return Reader(source)
    except BaseException:
        source.close()
        raise
