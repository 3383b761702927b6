import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch
from tcpcore.flows import FlowTable

class Analysis:
    dropped: int
    pools: dict[str, tuple[int, int, int]]
    slot_bytes: int
    def __init__(self, *, summary: bool = False, spread: bool = True, flight_limit: int = ...,
                 summary_limit: int = ...) -> None: ...
    def process(self, batch: Batch) -> None: ...
    def records(self, flows: FlowTable, slots: NDArray[np.uint32] | None = None) -> NDArray[np.void]: ...
