"""Files that are written, and how standard output is named."""
from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STANDARD_OUTPUT = "standard output"


@contextmanager
def named_errors(name: object) -> Iterator[None]:
    """Errors of the system that name no file are about this one."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(name)
        raise


class OutputFile(io.FileIO):
    """A file that keeps what it holds, or is gone again if it is new, when an error comes before the first byte.

    It is opened at once, so that a place that cannot be written is told before a long capture is read.
    """

    _begun = True

    def __init__(self, path: Path) -> None:
        self._path = None if path.exists() else path.resolve()
        super().__init__(path, "ab")
        self._begun = False

    def begin(self) -> None:
        """From now on the file is what is written."""
        if not self._begun and stat.S_ISREG(os.fstat(self.fileno()).st_mode):
            self.truncate(0)
        self._begun = True

    def write(self, data: Any) -> int:
        self.begin()
        return super().write(data)

    def close(self) -> None:
        super().close()
        if self._path and not self._begun:
            self._path.unlink(missing_ok=True)
