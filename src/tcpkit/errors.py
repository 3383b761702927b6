"""What can go wrong, told so that a person can act on it."""
from __future__ import annotations

import os

from tcpcore.errors import CaptureError

__all__ = ["CaptureError", "FieldError", "FilterError", "HoleError", "MissingLibraryError"]


def refuse_one(given: object, what: str) -> None:
    """TypeError for one text or path where there are several, whose letters would be taken for them."""
    if isinstance(given, str | os.PathLike):
        raise TypeError(f'{what} are several: ["{os.fspath(given)}"], not "{os.fspath(given)}"')


class FilterError(ValueError):
    """A capture or display filter that is wrong between ``start`` and ``end`` of its text."""

    def __init__(self, cause: str, text: str, start: int, end: int) -> None:
        self.cause = cause
        self.text = text
        self.start = start
        self.end = end
        super().__init__(f"{cause}\n  {text}\n  {' ' * start}{'^' * max(1, end - start)}")

    def __reduce__(self) -> tuple[type[FilterError], tuple[str, str, int, int]]:
        return type(self), (self.cause, self.text, self.start, self.end)


class FieldError(KeyError):
    """A name that is neither a column nor a Wireshark field; ``nearest`` is one that is and is much like it, if any."""

    def __init__(self, name: str, nearest: str = "") -> None:
        self.name = name
        self.nearest = nearest
        super().__init__(name)

    def __str__(self) -> str:
        return f'"{self.name}" is not a field' + (f'; did you mean "{self.nearest}"?' if self.nearest else "")


class HoleError(LookupError):
    """Bytes of a stream that are not in the capture: ``length`` of them from ``offset`` on; ``kind`` says why."""

    def __init__(self, stream: int, side: str, offset: int, length: int, kind: str) -> None:
        self.stream = stream
        self.side = side
        self.offset = offset
        self.length = length
        self.kind = kind
        super().__init__(f"{length} bytes at {offset} of what the {side} of stream {stream} sent are {kind}")

    def __reduce__(self) -> tuple[type[HoleError], tuple[int, str, int, int, str]]:
        return type(self), (self.stream, self.side, self.offset, self.length, self.kind)


class MissingLibraryError(ImportError):
    """An optional library is needed; the message names the extra that brings it."""
