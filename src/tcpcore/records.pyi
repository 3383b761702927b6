from typing import Any

import numpy as np

FRAME: np.dtype[np.void]
SEGMENT: np.dtype[np.void]
TUNNEL: np.dtype[np.void]
FLOW: np.dtype[np.void]
ANALYSIS: np.dtype[np.void]
FLOW_ANALYSIS: np.dtype[np.void]
LIFECYCLE: np.dtype[np.void]
STATES: np.dtype[np.void]
VERDICT: np.dtype[np.void]
FLOW_VERDICT: np.dtype[np.void]
CHUNK: np.dtype[np.void]
SIDE: np.dtype[np.void]

def join(**parts: np.dtype[Any]) -> np.dtype[np.void]: ...
