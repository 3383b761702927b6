"""The rows' layout is frozen: files and other programs read it."""
import io

import numpy as np
import pytest

from packets import Frame, ethernet, ipv4, pcap, tcp
from tcpcore import records
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.decode import Decoder

NAMES = [name for name in dir(records) if isinstance(getattr(records, name), np.dtype)]


@pytest.mark.parametrize("name", NAMES)
def test_packed_is_aligned(name):
    dtype = getattr(records, name)
    at = 0
    for field in dtype.names:
        kind, offset = dtype.fields[field][:2]
        assert offset == at, field
        assert offset % kind.alignment == 0, field
        at += kind.itemsize
    assert at == dtype.itemsize


def test_join_lays_parts_side_by_side_and_tells_equal_names_apart():
    joined = records.join(segment=records.SEGMENT, analysis=records.ANALYSIS)
    assert joined.itemsize == records.SEGMENT.itemsize + records.ANALYSIS.itemsize
    assert joined.fields["present"][1] == records.SEGMENT.fields["present"][1]
    assert joined.fields["analysis_present"][1] == records.SEGMENT.itemsize + records.ANALYSIS.fields["present"][1]
    assert len(joined.names) == len(records.SEGMENT.names) + len(records.ANALYSIS.names)


def test_times_are_signed_nanoseconds():
    assert records.FRAME["time_ns"] == records.SEGMENT["time_ns"] == np.dtype(np.int64)


@pytest.mark.parametrize("at", [-1, 3, 2**62, 2**63 - 1])
def test_rows_are_copied_only_to_where_there_is_room(at):
    frame = Frame(0, ethernet(ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, 3))), 54)
    reader, batch = Reader(io.BytesIO(pcap([frame] * 2))), Batch(8)
    assert reader.next(batch)
    Decoder().process(batch)
    with pytest.raises(ValueError, match="no room"):
        batch.copy_rows(np.zeros(4, batch.dtype), at)
