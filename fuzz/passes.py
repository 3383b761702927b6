"""Ways through the core for the bytes of a capture; anything but CaptureError is a finding."""
from __future__ import annotations

import contextlib
import io

import tcpkit
from packets import Frame, pcap
from tcpcore.analysis import Analysis
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder
from tcpcore.errors import CaptureError
from tcpcore.flows import FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpcore.verdicts import Verdicts
from tcpkit.fields import build_formatter, index_columns
from tcpkit.listing import packet_lines
from tcpkit.packet_columns import PACKETS
from tcpkit.sources import open_source

FRAMES = 7                       # of a batch: few, so that much happens across batches
SEED = bytes(range(24))
_DTYPE = Batch(1, analysis=True, states=True, verdicts=True).dtype
_FORMATTER = build_formatter(list(index_columns(PACKETS).values()), _DTYPE)


def as_capture(frames: list[bytes], link_type: int, step_ns: int = 1_000_000) -> bytes:
    return pcap([Frame(i * step_ns, frame, len(frame)) for i, frame in enumerate(frames)], link_type=link_type)


def run_stages(data: bytes, **options: int) -> None:
    """All stages, all columns as text, and what is added up for each stream; ``options`` of the flow table."""
    with contextlib.suppress(CaptureError):
        reader = Reader(open_source(io.BytesIO(data)))
        batch = Batch(FRAMES, 64, analysis=True, states=True, verdicts=True)
        decoder, flows, verdicts = Decoder(), FlowTable(seed=SEED, **options), Verdicts()
        analysis, lifecycle = Analysis(summary=True), Lifecycle()
        while reader.next(batch):
            decoder.process(batch)
            flows.process(batch)
            analysis.process(batch)
            lifecycle.process(batch)
            verdicts.process(batch)
            _FORMATTER.batch(batch)
        for stage in (analysis, lifecycle, verdicts):
            stage.records(flows)
        flows.records()


def run_tables(data: bytes) -> None:
    """Every table but that of packets."""
    with contextlib.suppress(tcpkit.CaptureError):
        capture = tcpkit.open(io.BytesIO(data), threads=1)
        b"".join(packet_lines(capture))
        for table in (capture.info, capture.flows, capture.directions, capture.handshakes, capture.conversations,
                      capture.retransmissions, capture.threats):
            repr(table)
