"""Where captures come from: files, standard input and pipes, compressed or not, URLs, open file objects.

A source has ``readinto(memoryview) -> int``, ``name``, ``size`` in bytes (None if unknown), ``damage``
(why it ended early, or None) and ``close()``; one that may have to wait also ``stop()``, which ends that.
"""
from __future__ import annotations

import errno
import io
import os
import select
import stat
import sys
import time
from collections.abc import Iterable
from typing import Any, BinaryIO, Protocol, TypeGuard

from tcpkit.compression import HEAD, find_format
from tcpkit.errors import CaptureError

BYTES = (bytes, bytearray, memoryview)
STANDARD_INPUT = "-"
POLL = 0.1                   # seconds between looks at what gives nothing yet


class Readable(Protocol):
    """All that it takes of a file object."""

    def readinto(self, buffer: Any, /) -> int | None: ...


Location = str | os.PathLike[str] | BinaryIO | Readable


class Source(Protocol):
    """What a reader reads from."""

    name: str
    size: int | None
    damage: str | None

    def readinto(self, buffer: memoryview, /) -> int: ...

    def close(self) -> None: ...


class PlainSource:
    """An unbuffered or foreign binary file."""

    damage: str | None = None
    growing = False                              # whether it may end in the middle of a record, which is no damage
    descriptor: int | None = None                # of a regular file, whose bytes are the capture's

    def __init__(self, raw: Any, name: str, size: int | None, *, close: bool = True) -> None:
        self.name = name
        self.size = size
        self._raw = raw
        self._head = b""                         # read already
        self._close = close
        self._stopped = False
        self._poll = select.poll() if size is None and isinstance(raw, io.FileIO) else None      # may be a pipe
        if self._poll:
            self._poll.register(raw, select.POLLIN)
        self._sleeps = not self._poll and not getattr(raw, "waits", False)      # while there is nothing yet

    def readinto(self, buffer: memoryview) -> int:
        """Up to len(buffer) bytes, as soon as there are any; 0 at the end, and where reading fails."""
        if self._head:
            size = min(len(self._head), len(buffer))
            buffer[:size] = self._head[:size]
            self._head = self._head[size:]
            return size
        try:
            while (found := self._look(buffer)) is None and not self._stopped:
                pass
        except OSError as error:
            self.damage = f"reading fails: {error.strerror or error}"
            return 0
        return found or 0

    def _look(self, buffer: memoryview) -> int | None:
        """What there is within a moment; None if that is nothing yet."""
        if self._poll and not self._poll.poll(POLL * 1000):
            return None
        size: int | None = self._raw.readinto(buffer)
        if size is None and self._sleeps:
            time.sleep(POLL)
        return size

    def peek(self, size: int) -> bytes:
        """The first ``size`` bytes, or what there is, which are still to be read."""
        head = bytearray(size)
        have = 0
        while have < size and (got := self.readinto(memoryview(head)[have:])):
            have += got
        self._head = bytes(head[:have])
        return self._head

    def seek(self, offset: int) -> None:
        """Go on from there; in a file that can do that."""
        self._raw.seek(offset)
        self._head = b""

    def stop(self) -> None:
        """Let what there is now be all; from any thread or signal handler."""
        self._stopped = self.growing = True

    def close(self) -> None:
        """Close the file, unless it is the caller's."""
        if self._close:
            self._raw.close()


class FollowedSource(PlainSource):
    """A file that is still being written: at its end, waits for more until ``stop()`` is called.

    It may then end in the middle of a record, which is no damage.
    """

    growing = True

    def readinto(self, buffer: memoryview) -> int:
        """Up to len(buffer) bytes, as soon as there are any."""
        while not (size := super().readinto(buffer)):
            if self._stopped or self.damage:
                break
            time.sleep(POLL)
        return size


class RestingFile:
    """A regular file that is open only while it is read, so that there may be more than a process may have open."""

    def __init__(self, path: str, status: os.stat_result) -> None:
        self._path, self._status = os.path.abspath(path), status
        self._at = 0

    def readinto(self, buffer: memoryview) -> int:
        with io.FileIO(self._path) as file:
            if not os.path.samestat(os.fstat(file.fileno()), self._status):
                raise OSError("another file has its name now")
            file.seek(self._at)
            size = file.readinto(buffer) or 0
        self._at += size
        return size

    def close(self) -> None:
        """It is closed already."""


def is_location(source: object) -> TypeGuard[Location]:
    """Whether it is one, rather than several."""
    return isinstance(source, (str, os.PathLike)) or hasattr(source, "readinto")


def locations(source: Location | Iterable[Location]) -> list[Location]:
    """The one, or each of several; TypeError for what is neither, such as bytes and files opened as text."""
    if is_location(source):
        return [source]
    if not isinstance(source, Iterable) or isinstance(source, BYTES) or hasattr(source, "read"):
        raise _no_location(source)
    return list(source)


def _no_location(source: object) -> TypeError:
    return TypeError(f"a path, a URL or a binary file object with readinto(), not {type(source).__name__}")


def name_of(location: object) -> str:
    """What to call it where something is wrong with it."""
    if location == STANDARD_INPUT:
        return "standard input"
    name = location if isinstance(location, (str, os.PathLike)) else getattr(location, "name", None)
    return os.fsdecode(name) if isinstance(name, (str, os.PathLike)) else "capture"


def open_source(location: Location, *, follow: bool = False, rests: bool = False) -> Source:
    """Open a path, ``"-"`` (standard input), a URL or a binary file object; decompresses by content.

    A file that ``rests`` is open only while it is read.
    Raises CaptureError if there is nothing to read.
    """
    if hasattr(location, "readinto"):
        return _by_content(location, name_of(location), None, close=False)
    if isinstance(location, (str, os.PathLike)):
        path = os.fsdecode(location)
        if path == STANDARD_INPUT:
            if sys.__stdin__ is None:            # closed from the start: 0 may be some other file by now
                raise CaptureError(name_of(path), os.strerror(errno.EBADF))
            return _by_content(_raw(0, name_of(path)), name_of(path), None)
        return _open_url(path) if "://" in path else _open_path(path, follow, rests)
    raise _no_location(location)


def _open_path(path: str, follow: bool, rests: bool) -> Source:
    raw = _raw(path, path)
    status = os.fstat(raw.fileno())
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    if rests and size is not None:
        raw.close()
        return _by_content(RestingFile(path, status), path, size)
    if follow and size is not None:
        return _followed(raw, path)
    source = _by_content(raw, path, size)
    if size is not None and isinstance(source, PlainSource):
        source.descriptor = raw.fileno()
    return source


def _raw(file: str | int, name: str) -> io.FileIO:
    """A file by its path or, if it stays open when this is closed, its descriptor."""
    try:
        return io.FileIO(file) if isinstance(file, str) else io.FileIO(file, closefd=False)
    except IsADirectoryError:
        raise CaptureError(name, "a directory, not a capture") from None
    except OSError as error:
        raise CaptureError(name, error.strerror or str(error)) from None


def _followed(raw: Any, path: str) -> Source:
    source = FollowedSource(raw, path, None)
    if find_format(source.peek(HEAD)):
        source.close()
        raise CaptureError(path, "a compressed capture cannot be followed")
    return source


def _open_url(url: str) -> Source:
    from tcpkit.urls import open_url

    raw, name, size = open_url(url)
    try:
        return _by_content(raw, name, size)
    except BaseException:                        # its thread would wait to be asked for ever
        raw.close()
        raise


def _by_content(raw: Any, name: str, size: int | None, *, close: bool = True) -> Source:
    """The source that its first bytes ask for."""
    source = PlainSource(raw, name, size, close=close)
    found = find_format(source.peek(HEAD))
    if not found:
        return source
    from tcpkit.decompressed import DecompressedSource

    return DecompressedSource(source, name, size, found)
