from tcpcore.batch import Batch
from tcpcore.fragments import Fragments

class Decoder:
    fragments: Fragments
    n_frames: int
    n_unknown_links: int
    def process(self, batch: Batch) -> None: ...
