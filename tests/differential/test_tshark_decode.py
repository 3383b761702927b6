"""Link layers, tunnels and odd headers: what tshark sees in the frames of the unit tests."""
from functools import partial
from itertools import product

from layers import LINKS, TUNNELS
from odd_frames import ICMP, NETWORK, TCP
from packets import T0, Frame, ethernet, ip, ipv4, ipv6, pcap, pcapng_interface, pcapng_packet, pcapng_section, tcp
from tshark import needs_tshark, tcpkit_fields, tshark_fields

FIELDS = ["frame.number", "frame.len", "frame.cap_len", "ip.src", "ip.dst", "ip.ttl", "ip.dsfield", "ip.id",
          "ipv6.src", "ipv6.dst", "ipv6.hlim", "vlan.id", "tcp.srcport", "tcp.dstport", "tcp.stream", "tcp.seq",
          "tcp.seq_raw", "tcp.ack_raw", "tcp.nxtseq", "tcp.len", "tcp.hdr_len", "tcp.flags", "tcp.window_size_value",
          "tcp.checksum", "tcp.urgent_pointer", "tcp.options.mss_val", "tcp.options.wscale.shift",
          "tcp.options.timestamp.tsval", "tcp.options.timestamp.tsecr", "tcp.options.sack.count",
          "tcp.options.sack_le", "tcp.options.sack_re", "tcp.time_delta", "tcp.completeness", "tcp.payload",
          "tcp.analysis"]
PACKETS = {"4": partial(ipv4, "10.0.0.1", "10.0.0.2", ttl=33, tos=0xB8, ident=0x1234),    # unlike outer headers
           "6": partial(ipv6, "fd00::1", "fd00::2", hop_limit=44)}


@needs_tshark
def test_every_encapsulation(tmp_path):
    cases = [(name, case, version) for name, case in {**LINKS, **TUNNELS}.items() for version in case.versions]
    links = sorted({case.link_type for _, case, _ in cases})
    blocks = [pcapng_section(), *(pcapng_interface(link_type) for link_type in links)]
    for i, (_, case, version) in enumerate(cases):
        segment = tcp(50000, 80, 1, payload=bytes(range(i % 50)))
        frame = case.wrap(PACKETS[version](segment))
        blocks.append(pcapng_packet(Frame(T0 + 1000 * i, frame, len(frame)), links.index(case.link_type)))
    path = tmp_path / "layers.pcapng"
    path.write_bytes(b"".join(blocks))
    assert_equal(path, [f"{name} {version}" for name, _, version in cases])


@needs_tshark
def test_outermost_headers(tmp_path):
    """IP in IP of either version down to four headers, each with fields of its own."""
    cases = ["".join(versions) for depth in (2, 3, 4) for versions in product("46", repeat=depth)]
    frames = [nested(versions) for versions in cases]
    path = tmp_path / "nested.pcap"
    path.write_bytes(pcap([Frame(T0, frame, len(frame)) for frame in frames]))
    assert_equal(path, cases)


def nested(versions):
    packet, protocol = tcp(50000, 80, 1), 6
    for i, version in enumerate(versions):
        ends = [f"10.0.{i}.{end}" if version == "4" else f"fd00::{i}:{end}" for end in (1, 2)]
        fields = {"ttl": 10 + i, "tos": 20 + i, "ident": 30 + i} if version == "4" else {"hop_limit": 40 + i}
        packet, protocol = ip(*ends, packet, protocol, **fields), 4 if version == "4" else 41
    return ethernet(packet)


@needs_tshark
def test_odd_headers(tmp_path):
    frames = {**NETWORK, **TCP, **ICMP}
    path = tmp_path / "odd.pcap"
    path.write_bytes(pcap([frame if isinstance(frame, Frame) else Frame(T0, frame, len(frame))
                           for frame in frames.values()]))
    assert_equal(path, list(frames))


def assert_equal(path, cases):
    """``cases`` names the frames in order."""
    expected = {row["frame.number"]: row for row in tshark_fields(path, FIELDS)}
    actual = {row["frame.number"]: row for row in tcpkit_fields(path, FIELDS)}
    differing = {name: (expected.get(number), actual.get(number)) for i, name in enumerate(cases)
                 if expected.get(number := str(i + 1)) != actual.get(number)}
    assert not differing, "\n".join(f"{name}: {pair}" for name, pair in differing.items())
