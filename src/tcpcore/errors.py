"""The one exception for input that cannot be used as a capture."""
from __future__ import annotations


class CaptureError(ValueError):
    """A source that is not a capture, or (where asked to be strict) a damaged one.

    ``path`` names the source, ``offset`` is the byte at which reading stopped (None where no byte
    is to blame), ``cause`` says what was found there.
    """

    def __init__(self, cause: str, *, path: str | None = None, offset: int | None = None) -> None:
        self.path, self.offset, self.cause = path, offset, cause
        where = "" if offset is None else f" (at byte {offset})"
        super().__init__(f"{path}: {cause}{where}" if path else f"{cause}{where}")
