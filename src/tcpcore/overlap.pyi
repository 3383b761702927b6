from enum import IntEnum
from typing import Any

from numpy.typing import NDArray

class OverlapRule(IntEnum):
    FIRST = 0
    LAST = 1
    BSD = 2
    BSD_RIGHT = 3
    LINUX = 4
    OLD_LINUX = 5
    SOLARIS = 6

def resolve(segments: NDArray[Any], rule: int, acked: int) -> NDArray[Any]: ...
