from tcpcore.batch import Batch

class Decoder:
    n_frames: int
    n_unknown_links: int
    def process(self, batch: Batch) -> None: ...
