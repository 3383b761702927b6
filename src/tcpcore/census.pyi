from tcpcore.batch import Batch

class Census:
    frames: int
    captured_bytes: int
    wire_bytes: int
    times: tuple[int, int] | None
    disordered: tuple[int, list[int]]
    steps: tuple[int, list[int]]
    furthest_back: int
    cut: tuple[int, list[int]]
    cut_lengths: tuple[int, int]
    statuses: list[int]
    def process(self, batch: Batch, *, zero_is_no_time: bool = False) -> None: ...
    def interface(self, number: int) -> tuple[int, int, int]: ...
