import numpy as np
from numpy.typing import NDArray

from tcpcore.flows import FlowTable

class FlowMerger(FlowTable):
    def add(self, records: NDArray[np.void], n_frames_before: int) -> None: ...
