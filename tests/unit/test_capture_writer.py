"""tcpcore.capture_writer: what is written reads back the same."""
import io
import struct

import pytest

from packets import Conversation, Frame, pcapng_interface, pcapng_option, pcapng_packet, pcapng_section
from tcpcore.batch import Batch
from tcpcore.capture_file import Reader
from tcpcore.capture_writer import encode

COLUMNS = ["time_ns", "cap_len", "wire_len", "link_type"]


def read(capture: bytes):
    batch = Batch()
    Reader(io.BytesIO(capture)).next(batch)
    return batch


@pytest.fixture
def conversation():
    talk = Conversation(time=1_700_000_000_123_456_789)
    return talk.handshake().c("PA", 1, 1, 33).s("A", 1, 34).c("PA", 34, 1, 5, snap=60)


def test_pcap_keeps_every_frame(conversation):
    batch = read(conversation.pcap(nano=True))
    header = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
    again = read(header + encode(batch, pcapng=False))
    assert again.frame_array[COLUMNS].tolist() == batch.frame_array[COLUMNS].tolist()
    assert header + encode(again, pcapng=False) == conversation.pcap(nano=True)


def test_pcapng_keeps_every_frame(conversation):
    batch = read(conversation.pcap(nano=True))
    header = pcapng_section() + pcapng_interface(1, options=pcapng_option(9, b"\x09"))
    again = read(header + encode(batch, pcapng=True))
    assert again.frame_array[COLUMNS].tolist() == batch.frame_array[COLUMNS].tolist()


def test_snaplen_cuts_the_data_and_keeps_the_wire_length(conversation):
    batch = read(conversation.pcap(nano=True))
    header = struct.pack("=IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 40, 1)
    again = read(header + encode(batch, pcapng=False, snaplen=40))
    assert set(again.frame_array["cap_len"]) == {40}
    assert again.frame_array["wire_len"].tolist() == batch.frame_array["wire_len"].tolist()


def test_times_before_1970():
    """Seconds modulo 2^32, and never a negative fraction."""
    batch = read(pcapng_section() + pcapng_interface(1, options=pcapng_option(14, struct.pack("<q", -10)))
                 + pcapng_packet(Frame(500_000_000, b"frame", 5)))
    assert batch.frame_array["time_ns"] == [-9_500_000_000]
    assert struct.unpack_from("=II", encode(batch, pcapng=False)) == (2**32 - 10, 500_000_000)
