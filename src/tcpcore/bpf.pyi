from collections.abc import Callable, Sequence

from typing_extensions import Buffer

from tcpcore.batch import Batch

class Program:
    length: int
    def __init__(self, instructions: Sequence[tuple[int, int, int, int]]) -> None: ...
    def run(self, frame: Buffer, wire_len: int | None = None) -> int: ...

class Filter:
    def __init__(self, compile: Callable[[int], Program]) -> None: ...
    def process(self, batch: Batch) -> None: ...
