from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tcpcore.batch import Batch

class TextKind(IntEnum):
    UNSIGNED = 0
    SIGNED = 1
    REAL = 2
    SECONDS = 3
    SINCE_START = 4
    HEX = 5
    BITS = 6
    WORD = 7
    ADDRESS = 8
    OUTER_IPV4 = 9
    OUTER_IPV6 = 10
    SACK_EDGE = 11
    PAYLOAD = 12
    INFO = 13
    SET = 14
    LETTERS = 15
    TUNNEL_KIND = 16
    TUNNEL_NUMBER = 17
    VERDICT = 18
    OUTER_NUMBER = 19
    OUTER_HEX = 20

class Formatter:
    start_ns: int
    def __init__(self, *, row_end: bytes = b"\n", start_ns: int = 0) -> None: ...
    def add(
        self,
        kind: int,
        at: int,
        size: int,
        *,
        other: int = -1,
        mask: int = 0,
        conditions: Sequence[tuple[int, int, int, bool]] = (),
        prefix: bytes = b"",
        absent: bytes = b"",
        words: Sequence[bytes] = (),
        quoted: bool = False,
        width: int = 0,
    ) -> None: ...
    def batch(self, batch: Batch) -> bytes: ...
    def rows(self, array: NDArray[np.void], tunnels: NDArray[np.void] | None = None) -> bytes: ...
