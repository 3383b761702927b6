from tcpcore.batch import Batch

class Census:
    frames: int
    others: int
    captured_bytes: int
    wire_bytes: int
    at_zero: int
    times: tuple[int, int] | None
    disordered: tuple[int, list[int]]
    steps: tuple[int, list[int]]
    furthest_back: int
    cut: tuple[int, list[int]]
    cut_lengths: tuple[int, int]
    statuses: list[int]
    def process(self, batch: Batch) -> None: ...
    def interface(self, number: int) -> tuple[int, int, int]: ...
