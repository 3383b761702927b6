"""Captures at URLs, through fsspec."""
from __future__ import annotations

import threading
from queue import Empty, SimpleQueue
from typing import Any

from tcpkit.errors import CaptureError
from tcpkit.sources import POLL

SILENCE = 60.0                   # seconds after which a web server gives nothing more


def open_url(url: str) -> tuple[Remote, str, int | None]:
    """What is read there, its name and its size in bytes.  CaptureError if that cannot be opened."""
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise CaptureError(url, 'reading URLs needs fsspec: pip install "tcpkit[cluster]"') from None
    try:
        system, path = url_to_fs(url, **_streaming(url))
        size = system.size(path)
        raw = system.open(path, "rb")
    except (OSError, ValueError, ImportError) as error:
        raise CaptureError(url, _cause_on_the_way(error)) from None
    return Remote(raw), url, size if isinstance(size, int) else None


def _cause_on_the_way(error: Exception) -> str:
    cause: Any = error.__cause__ or error                # fsspec's own may say no more than the address
    if isinstance(cause, FileNotFoundError):
        return "no such file"
    if hasattr(cause, "status"):                         # aiohttp's repeats the address
        return f"{cause.status} {cause.message}"
    return str(cause) or type(cause).__name__


def _streaming(url: str) -> dict[str, Any]:
    """What fsspec needs to know to read from a web server in one request: many do not answer requests for ranges."""
    if not url.startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout

    # However long all of it takes, aiohttp's own limit is five minutes; but no server is silent for so long.
    timeout = ClientTimeout(total=None, sock_connect=30, sock_read=SILENCE)
    return {"block_size": 0, "client_kwargs": {"timeout": timeout}}


class Remote:
    """A file of fsspec, read in a thread of its own: who waits for a server can give that up."""

    waits = True                                 # a moment, for what there is not yet

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._left = memoryview(b"")
        self._asked: SimpleQueue[int] = SimpleQueue()        # bytes; 0: no more
        self._given: SimpleQueue[bytes | Exception] = SimpleQueue()
        self._asks = False
        threading.Thread(target=self._read, name="read URL", daemon=True).start()

    def readinto(self, buffer: memoryview) -> int | None:
        """Up to len(buffer) bytes; None if there are none yet."""
        if not self._left:
            if not self._asks:
                self._asked.put(len(buffer))
                self._asks = True
            try:
                found = self._given.get(timeout=POLL)
            except Empty:
                return None
            self._asks = False
            if isinstance(found, OSError) and str(found):
                raise found
            if isinstance(found, Exception):     # a time that is up says nothing itself
                raise OSError(_cause_on_the_way(found)) from found
            self._left = memoryview(found)
        size = min(len(self._left), len(buffer))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size

    def close(self) -> None:
        self._asked.put(0)
        self._raw.close()

    def _read(self) -> None:
        while size := self._asked.get():
            try:
                found = self._raw.read(size)
            except Exception as error:           # each file system has errors of its own for what goes wrong
                found = error
            self._given.put(found)
