from typing import Protocol

from tcpcore.batch import Batch

class Source(Protocol):
    def readinto(self, buffer: memoryview, /) -> int: ...

class Reader:
    name: str | None
    n_frames: int
    damage: tuple[int, str] | None
    def __init__(self, source: Source) -> None: ...
    def next(self, batch: Batch) -> bool: ...
