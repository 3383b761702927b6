from tcpcore.batch import Batch
from tcpcore.flows import FlowTable

class Analysis:
    dropped: int
    flight_bytes: int
    def __init__(self, *, flight_limit: int = ...) -> None: ...
    def process(self, batch: Batch, flows: FlowTable) -> None: ...
