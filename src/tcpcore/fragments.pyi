class Fragments:
    """IP fragments that wait for the rest of their datagram."""

    memory: int
    memory_limit: int
    fragments: int
    joined: int
    timed_out: int
    evicted: int
    refused: int
    def __init__(self, memory_limit: int = ...) -> None: ...
    @property
    def incomplete(self) -> int: ...
