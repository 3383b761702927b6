"""Ways through the core for the bytes of a capture; anything but CaptureError is a finding."""
from __future__ import annotations

import contextlib
import io

import tcpkit
from packets import Frame, pcap
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.errors import CaptureError
from tcpcore.flows import FlowTable
from tcpkit.budget import LIMIT
from tcpkit.fields import build_formatter, index_columns
from tcpkit.listing import packet_lines
from tcpkit.packet_columns import PACKETS
from tcpkit.pipeline import MSL
from tcpkit.sources import open_source
from tcpkit.stages import ALL_STAGES
from tcpkit.trackers import Trackers

FRAMES = 7                       # of a batch: few, so that much happens across batches
SEED = bytes(range(24))
_DTYPE = Batch(1, analysis=True, states=True, verdicts=True).dtype
_FORMATTER = build_formatter(list(index_columns(PACKETS).values()), _DTYPE)


def as_capture(frames: list[bytes], link_type: int, step_ns: int = 1_000_000) -> bytes:
    return pcap([Frame(i * step_ns, frame, len(frame)) for i, frame in enumerate(frames)], link_type=link_type)


def run_stages(data: bytes, **options: int) -> None:
    """All stages, all columns as text, and what is added up for each stream; ``options`` of the flow table."""
    with contextlib.suppress(CaptureError):
        reader, decoder = Reader(open_source(io.BytesIO(data))), Decoder()
        batch = Batch(FRAMES, 64, analysis=True, states=True, verdicts=True)
        trackers = Trackers(ALL_STAGES, msl_ns=round(MSL * 1e9), summary=True, memory_limit=LIMIT)
        trackers.flows = FlowTable(seed=SEED, **options)
        while reader.next(batch):
            decoder.process(batch)
            for tracker in trackers.at_work.values():
                tracker.process(batch)
            trackers.n_slots = batch.n_slots
            _FORMATTER.batch(batch)
        for _ in trackers.pieces():
            pass


def run_tables(data: bytes) -> None:
    """Every table but that of packets."""
    with contextlib.suppress(tcpkit.CaptureError):
        capture = tcpkit.open(io.BytesIO(data), threads=1)
        b"".join(packet_lines(capture))
        for table in (capture.info, capture.flows, capture.directions, capture.handshakes, capture.conversations,
                      capture.retransmissions, capture.threats):
            repr(table)
