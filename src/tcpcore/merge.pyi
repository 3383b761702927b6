from collections.abc import Callable, Iterable

from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.metadata import Interface

class MergedReader:
    name: str
    parts: list[Reader]
    interfaces: list[Interface]
    n_frames: int
    def __init__(self, captures: Iterable[tuple[int, Callable[[], Reader]]]) -> None: ...
    def next(self, batch: Batch) -> bool: ...
    def lend(self) -> None: ...
    @property
    def damages(self) -> list[tuple[str, int | None, str]]: ...
    def close(self) -> None: ...
