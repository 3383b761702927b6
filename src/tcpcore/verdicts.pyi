import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch
from tcpcore.flows import FlowTable

class Verdicts:
    pools: dict[str, tuple[int, int, int]]
    slot_bytes: int
    def __init__(self, *, history_limit: int = ...) -> None: ...
    def process(self, batch: Batch) -> None: ...
    def records(self, flows: FlowTable, slots: NDArray[np.uint32] | None = None) -> NDArray[np.void]: ...
