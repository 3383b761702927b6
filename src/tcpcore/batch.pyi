import numpy as np
from numpy.typing import NDArray

class Batch:
    data_len: int
    data_capacity: int
    data_offset: int
    n_frames: int
    frame_capacity: int
    n_rows: int
    n_slots: int
    corrections: tuple[NDArray[np.uint64], NDArray[np.void], NDArray[np.uint64]] | None
    stride: int
    n_released: int
    released: dict[str, NDArray[np.void]] | None
    dtype: np.dtype[np.void]
    n_tunnels: int
    arena_len: int
    def __init__(
        self,
        frames: int = 2048,
        data: int = 1 << 20,
        *,
        analysis: bool = False,
        states: bool = False,
        verdicts: bool = False,
    ) -> None: ...
    @property
    def data_bytes(self) -> bytes: ...
    @property
    def arena_bytes(self) -> bytes: ...
    def give_back(self) -> None: ...
    def keep(self, chosen: NDArray[np.bool_]) -> None: ...
    def keep_frames(self, chosen: NDArray[np.bool_]) -> None: ...
    @property
    def frame_array(self) -> NDArray[np.void]: ...
    @property
    def array(self) -> NDArray[np.void]: ...
    @property
    def tunnel_array(self) -> NDArray[np.void]: ...
    def copy_rows(self, out: NDArray[np.void], at: int) -> None: ...
