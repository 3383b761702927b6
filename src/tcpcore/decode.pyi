from tcpcore.batch import Batch

class Decoder:
    def process(self, batch: Batch) -> None: ...
