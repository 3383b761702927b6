"""Random fragments: the frames in which tshark shows the joined segments, and what it shows of them."""
import pytest

from fragment_trains import frames, trains
from packets import pcap
from tshark import needs_tshark, tcpkit_fields, tshark_fields

FIELDS = ["frame.number", "ip.src", "ip.ttl", "ip.id", "ipv6.src", "ipv6.hlim", "tcp.srcport", "tcp.seq_raw", "tcp.len",
          "tcp.stream", "tcp.flags"]


@needs_tshark
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_fragments(tmp_path, seed):
    path = tmp_path / "fragments.pcap"
    path.write_bytes(pcap(frames(trains(seed, 400))))
    expected = tshark_fields(path, FIELDS)
    assert len(expected) > 200
    assert tcpkit_fields(path, FIELDS) == expected
