"""Files that have their names only when they are complete, and that one writer at a time has in hand."""
from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from tcpkit.output_file import named_errors


@contextmanager
def completed(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name once all of it is on the disk; BlockingIOError while another export writes it."""
    part = part_of(path)
    file = begun(part)
    with named_errors(path), file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


@contextmanager
def kept_from_others(path: Path) -> Iterator[None]:
    """Nobody else completes this file meanwhile, which is left as it is; BlockingIOError while another export does."""
    part = part_of(path)
    with begun(part):
        try:
            yield
        finally:
            part.unlink(missing_ok=True)


def part_of(path: Path) -> Path:
    """What a file is called until it is complete, in a directory that is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(path.name + ".part")


def begun(part: Path) -> BinaryIO:
    """An empty file that nobody else gets until it is closed, as also the end of a process does."""
    while True:
        file = open(part, "wb", opener=lambda name, how: os.open(name, how & ~os.O_TRUNC, 0o666))  # noqa: SIM115
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise BlockingIOError(errno.EAGAIN, "another export to this directory is at work on it") from None
        except OSError:
            pass                                 # a file system without locks
        if is_named(part, file):
            file.truncate()
            return file
        file.close()


def is_named(path: Path, file: BinaryIO) -> bool:
    """Whether that is still the name of the open file, not of another that has been begun since."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    return False
