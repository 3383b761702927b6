from tcpcore.batch import Batch

SLOT_BYTES: int

class Quality:
    segments: int
    flows: int
    payload_bytes: int
    missing_bytes: int
    duplicates_elsewhere: int
    checksums: int
    def process(self, batch: Batch) -> None: ...
    def findings(self) -> dict[str, tuple[int, list[int]]]: ...
