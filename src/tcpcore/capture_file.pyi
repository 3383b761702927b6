from typing import Protocol

from tcpcore.batch import Batch
from tcpcore.metadata import Interface, Metadata

class Source(Protocol):
    def readinto(self, buffer: memoryview, /) -> int: ...

class Reader:
    source: Source
    name: str
    format: str
    metadata: Metadata
    damage: tuple[int, str] | None
    n_frames: int
    n_untimed: int
    n_wrapped: int
    n_comments: int
    def __init__(self, source: Source) -> None: ...
    def next(self, batch: Batch) -> bool: ...
    def lend(self, lends: bool = True) -> None: ...
    @property
    def interfaces(self) -> list[Interface]: ...
    @property
    def damages(self) -> list[tuple[str, int | None, str]]: ...
    @property
    def parts(self) -> list[Reader]: ...
    def close(self) -> None: ...
