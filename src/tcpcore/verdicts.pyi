import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch
from tcpcore.flows import FlowTable

class Verdicts:
    forgotten: int
    history_bytes: int
    def __init__(self, *, history_limit: int = ...) -> None: ...
    def process(self, batch: Batch, flows: FlowTable) -> None: ...
    def corrections(self) -> tuple[NDArray[np.uint64], NDArray[np.void]]: ...
