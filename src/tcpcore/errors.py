"""The error of input that cannot be used as a capture."""
from __future__ import annotations


class CaptureError(ValueError):
    """A capture that cannot be read: names the file, the byte offset where there is one, and the cause."""

    def __init__(self, path: object, cause: str, offset: int | None = None) -> None:
        self.path = str(path)
        self.cause = cause
        self.offset = offset
        super().__init__(f"{path}: {cause}" if offset is None else f"{path}: at byte {offset}: {cause}")

    def __reduce__(self) -> tuple[type[CaptureError], tuple[str, str, int | None]]:
        return type(self), (self.path, self.cause, self.offset)
