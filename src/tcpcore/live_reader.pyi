from typing import Protocol

from tcpcore.batch import Batch

class Handle(Protocol):
    def datalink(self) -> int: ...
    def next_batch(self, max_n: int, /) -> tuple[bytes, bytes]: ...

class LiveReader:
    frames: int
    position: int
    link_type: int
    drained: bool
    def __init__(self, handle: Handle) -> None: ...
    def fill(self, batch: Batch, limit: int) -> None: ...
