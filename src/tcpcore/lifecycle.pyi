import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch
from tcpcore.flows import FlowTable

class Lifecycle:
    def __init__(self, *, msl_ns: int = ...) -> None: ...
    def process(self, batch: Batch) -> None: ...
    def records(self, flows: FlowTable, start: int = 0, stop: int | None = None) -> NDArray[np.void]: ...
