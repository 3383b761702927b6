from tcpcore.batch import Batch

class Follower:
    stream: int
    first: int
    def __init__(self, stream: int, limit: int = ...) -> None: ...
    def process(self, batch: Batch) -> list[tuple[int, bytes]]: ...
