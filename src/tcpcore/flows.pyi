import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch

SLOT_BYTES: int

class FlowTable:
    n_slots: int
    n_streams: int
    evicted: tuple[int, int]
    slot_bytes: int
    pools: dict[str, tuple[int, int, int]]
    def __init__(self, *, seed: bytes | None = None, max_flows: int = ..., pieces: bool = False) -> None: ...
    def process(self, batch: Batch) -> None: ...
    def records(self, start: int = 0, stop: int | None = None) -> NDArray[np.void]: ...
    def slot_of(self, stream: int) -> int | None: ...
    def latest(self, count: int) -> NDArray[np.uint32]: ...
