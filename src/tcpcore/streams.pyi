from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from tcpcore.batch import Batch

SLOT_BYTES: int

class Assembler:
    def __init__(self, *, rule: int, stream_limit: int, total_limit: int, patience_ns: int, timeout_ns: int,
                 record: bool = True) -> None: ...
    def process(self, batch: Batch) -> None: ...
    def finish(self) -> bool: ...
    def forget(self) -> None: ...
    @property
    def chunks(self) -> NDArray[Any]: ...
    def pieces(self) -> Iterator[Piece]: ...
    @property
    def totals(self) -> dict[str, int]: ...

class Piece:
    stream: int
    direction: int
    kind: int
    reason: int
    offset: int
    length: int
    time_ns: int
    frame: int
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __len__(self) -> int: ...
