"""tcpcore.bpf and tcpkit.capture_filter against libpcap's own filter()."""
import io
import struct

import pcapy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from packets import Frame, ethernet, ip, pcap, tcp
from tcpcore.batch import Batch
from tcpcore.bpf import Program
from tcpcore.capture_file import Reader
from tcpkit import capture_filter
from tcpkit.capture_filter import build_filter, compile_for, mistake_in, wrong_word
from tcpkit.errors import FilterError

EXPRESSIONS = [
    "tcp port 80 and host 10.0.0.1", "ip6", "vlan 5 and tcp", "pppoes and host 10.0.0.1", "len > 100",
    "ether[0] & 1 = 0 and ip[16] >= 224", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "portrange 1-1024",
    "net 10.0.0.0/8", "ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2) != 0", "ip[8] / 3 == 5", "mpls 3",
    "icmp or udp", "ip[8] % 7 = 1", "ip[1] * 3 - 2 > 5", "ip[8] ^ 3 != 67", "-ip[8] < 100", "less 90",
    "src host fd00::1 and tcp dst port 5000", "ip[0] << 4 = 0x450", "ip[4:2] | 1 = 1", "not tcp", "vlan and vlan",
    "host 10.0.0.1 or host 10.0.0.2", "src net 192.168.0.0/16", "dst net 224.0.0.0/4", "net fd00::/16", "ip proto 6",
    "ip6 proto 6", "ip6 protochain 6", "ip protochain 6", "proto 6", "tcp src port 80", "udp port 53", "port 5000",
    "tcp portrange 79-81 or udp portrange 1-2", "ether host 02:00:00:00:00:01", "ether src 02:00:00:00:00:01",
    "ether proto 0x86dd", "ether broadcast or ether multicast", "ip multicast", "ip6 multicast", "arp or rarp",
    "greater 60", "len < 60 or len >= 100", "len != len", "ip[6:2] & 0x1fff = 0", "ip[0] & 0xf > 5", "tcp[13] = 2",
    "tcp[tcpflags] == tcp-ack", "tcp[tcpflags] & tcp-push != 0", "tcp[12] >> 4 > 5", "tcp[0:2] = 80", "tcp[4:4] = 1",
    "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0", "ip6[6] = 6", "ip6[40:2] = 80", "ether[12:2] = 0x0800", "ip[100] = 0",
    "vlan", "vlan 5", "vlan 5 and vlan 9 and ip6", "not vlan", "mpls", "mpls 3 and ip", "pppoed", "pppoes 5 and tcp",
    "geneve", "icmp[icmptype] = icmp-echo", "icmp6", "sctp or ah or esp or vrrp or igmp", "llc or stp",
    "decnet src 1.1",
    "tcp and not port 80", "not (tcp or udp)", "ip[8] + ip[9] - 3 > 64", "ip[8] * ip[9] / 7 % 5 = 1",
    "ip[8] >> ip[9] = 0", "ip[8] / (ip[9] - 6) = 0", "-(ip[8]) > 5", "ip[8] ^ ip[9] | 3 = 71",
    "(ip[8] & 0xf0) << 24 = 0x40000000",
    "ip[2:2] > len", "tcp[2:2] & 0xff00 >> 4 = 0", "1 = 1", "inbound or outbound", "tcp or ip6 or vlan",
]
LINK_TYPES = {1: 1, 101: 12, 113: 113}
CASES = [(text, link_type) for text in EXPRESSIONS for link_type in LINK_TYPES]


def compiled(text, link_type):
    """libpcap's own program, or None for a link type the filter does not fit."""
    if mistake_in(text, link_type):
        return None
    return pcapy.compile(LINK_TYPES[link_type], 262144, text, 1, 0)


PROGRAMS = [(text, program, compile_for(text, link_type)) for text, link_type in CASES
            if (program := compiled(text, link_type)) is not None]


@st.composite
def frames(draw):
    ends = draw(st.sampled_from([("10.0.0.1", "10.0.0.2"), ("192.168.1.9", "224.0.0.1"), ("fd00::1", "fd00::2")]))
    header = tcp(draw(st.sampled_from([80, 5000, 1024])), draw(st.sampled_from([80, 5000])), 1,
                 flags=draw(st.integers(0, 63)), payload=bytes(draw(st.integers(0, 100))))
    frame = bytearray(ethernet(ip(*ends, header), vlans=draw(st.sampled_from([(), (5,), (5, 9)]))))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(frame) - 1), st.integers(0, 255)), max_size=5)):
        frame[at] = value
    return bytes(frame[:draw(st.integers(1, len(frame)))])


def terms():
    """Tests of the packet: what a filter is made of."""
    return st.one_of(
        st.sampled_from(["tcp", "udp", "ip", "ip6", "icmp", "host 10.0.0.1", "dst host fd00::2", "net 10", "port 80",
                         "src portrange 0-2000", "ether src 02:00:00:00:00:01", "vlan 5", "mpls", "ip multicast"]),
        st.builds("{}[{}:{}] {} {}".format, st.sampled_from(["ip", "ether", "tcp", "ip6"]), st.integers(0, 60),
                  st.sampled_from([1, 2, 4]), st.sampled_from(["=", "!=", ">", "<", ">=", "<="]),
                  st.integers(0, 2**32 - 1)),
        st.builds("ip[{}] {} {} {} len {} {}".format, st.integers(0, 30), st.sampled_from("+-*/%&|^"),
                  st.integers(1, 300), st.sampled_from(["=", ">"]), st.sampled_from("+-&|"), st.integers(0, 300)),
        st.builds("{} {}".format, st.sampled_from(["less", "greater"]), st.integers(0, 200)))


EXPRESSION = st.recursive(terms(), lambda inner: st.one_of(
    st.builds("({} and {})".format, inner, inner), st.builds("({} or {})".format, inner, inner),
    st.builds("not ({})".format, inner)), max_leaves=6)


@given(EXPRESSION, st.lists(frames(), min_size=1, max_size=6))
def test_random_filters_run_as_in_libpcap(text, captured):
    theirs = compiled(text, 1)
    assume(theirs is not None)
    ours = compile_for(text, 1)
    for frame in captured:
        assert bool(ours.run(frame)) == bool(theirs.filter(frame))


@given(frames())
def test_runs_as_libpcap_does(frame):
    for text, theirs, ours in PROGRAMS:
        assert bool(ours.run(frame)) == bool(theirs.filter(frame)), text


def test_every_expression_fits_some_link_type():
    assert {text for text, _, _ in PROGRAMS} == set(EXPRESSIONS)


@given(st.lists(st.tuples(st.integers(0, 0xFF), st.integers(0, 9), st.integers(0, 9), st.integers(0, 2**32 - 1)),
                min_size=1, max_size=8), st.binary(max_size=40))
def test_a_hostile_program_is_refused_or_ends(instructions, frame):
    try:
        program = Program(instructions)
    except ValueError:
        return
    assert 0 <= program.run(frame) < 2**32


@pytest.mark.parametrize("instructions", [
    [], [(0x05, 0, 0, 2**32 - 2), (0x06, 0, 0, 0)], [(0x06, 0, 0, 1), (0x05, 0, 0, 0)],
    [(0x05, 0, 0, 5), (0x06, 0, 0, 0)], [(0x15, 1, 0, 0), (0x06, 0, 0, 0)], [(0x60, 0, 0, 16), (0x06, 0, 0, 0)],
    [(0x02, 0, 0, 16), (0x06, 0, 0, 0)], [(0x34, 0, 0, 0), (0x06, 0, 0, 0)]])
def test_refuses_what_could_run_astray(instructions):
    with pytest.raises(ValueError, match="BPF"):
        Program(instructions)


def test_a_loop_ends():
    """Jump back to the beginning for ever: the frame is rejected."""
    assert Program([(0x05, 0, 0, 2**32 - 1), (0x06, 0, 0, 1)]).run(b"") == 0


def test_division_by_zero_in_x_rejects_the_frame():
    assert Program([(0x01, 0, 0, 0), (0x3C, 0, 0, 0), (0x06, 0, 0, 1)]).run(b"") == 0


def test_the_length_is_the_one_on_the_wire():
    assert Program([(0x80, 0, 0, 0), (0x16, 0, 0, 0)]).run(b"abc", 1500) == 1500


@pytest.mark.parametrize(("text", "word"), [
    ("ether host 00:11:22", "00:11:22"), ("ip6 host 1.2.3.4", "1.2.3.4"), ("wlan typ mgt", "typ"),
    ("tcp dst ports 80", "ports"), ("udp src port 53 tcp", "tcp"), ("ether[0] & 1 = ", ""),
    ("net 10.0.0.0/33", "10.0.0.0/33"), ("tcp port 80 andd host 1.1.1.1", "andd"), ("tcp.port == 80", "tcp.port"),
    ("ip and and tcp", "and"),
    ("port http or port nosuchport", "nosuchport"), ("port 99999", "99999"), ("tcp)", ")"), ("len > x", "x"),
    ("src port 80 dst port 90", "dst"), ("ip proto foo", "foo"), ("icmp[icmptype] = icmp-ech", "icmp-ech"),
    ("tcp prt 80", "prt"), ("host 10.0.0.300", "10.0.0.300"), ("tcp port", ""), ("prot 5 or tcp", "prot"),
    ("tcp[13] & 2 != 0 adn udp", "adn"), ("(tcp", ""), ("port 1||prt 2", "prt"), ("(ip and ip6) or prt 5", "prt"),
    ("tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 adn udp", "adn"), ("tcp[((tcp[12:1] & 0xf0) >> x):4] = 0", "x")])
def test_points_at_the_wrong_word(text, word):
    with pytest.raises(FilterError) as caught:
        build_filter(text)
    error = caught.value
    assert text[error.start:error.end] == word
    assert str(error).splitlines()[-1] == "  " + " " * error.start + "^" * max(1, len(word))


def test_a_filter_for_another_link_type_is_not_refused_beforehand():
    build_filter("wlan type mgt")


@pytest.mark.parametrize("text", sorted({text for text, link_type in CASES if not mistake_in(text, link_type)}))
def test_no_word_of_a_right_filter_is_wrong(text):
    """Nor of its beginnings, so that a word that is wrong is found whichever beginnings are tried."""
    link_type = next(link_type for link_type in LINK_TYPES if not mistake_in(text, link_type))
    for word in capture_filter.WORD.finditer(text):
        assert wrong_word(text[:word.end()], link_type) == (word.end(),) * 2


@pytest.mark.parametrize("text", ["tcp\0", "host \udcff"])
def test_a_filter_that_is_no_text_of_c_is_refused(text):
    with pytest.raises(FilterError):
        build_filter(text)


def test_a_filter_that_accepts_nothing_has_no_wrong_word():
    with pytest.raises(FilterError, match="rejects all packets") as caught:
        compile_for("tcp and udp", 1)
    assert (caught.value.start, caught.value.end) == (0, len("tcp and udp"))


def ports(n):
    return " or ".join(f"port {i}" for i in range(n))


@pytest.mark.parametrize("word", [0, 98, 196])
def test_the_wrong_word_of_a_long_filter_is_found_in_few_steps(monkeypatch, word):
    """Each step asks libpcap some twenty times, only to read, not to make a program of what is right so far."""
    asked, text = [], ports(197).replace(f"port {word}", f"prt {word}", 1)
    monkeypatch.setattr(capture_filter, "mistake_in", lambda *question: asked.append(question) or mistake_in(*question))
    with pytest.raises(FilterError) as caught:
        build_filter(text)
    assert text[caught.value.start:caught.value.end] == "prt"
    assert len(asked) < 200
    assert not [text for text, link_type in asked if not mistake_in(text, link_type)]


def test_arithmetic_without_end_is_not_searched(monkeypatch):
    asked = []
    monkeypatch.setattr(capture_filter, "mistake_in", lambda *question: asked.append(question) or mistake_in(*question))
    with pytest.raises(FilterError, match="syntax error"):
        build_filter("len = " + "1+" * 4000 + "1 or prt 5")
    assert len(asked) <= 6


@pytest.mark.parametrize(("text", "told"), [
    (ports(300), ""), (ports(301), "301 tests"), ("tcp or " * 301 + "tcp", "302 tests"),
    ("||".join(["tcp"] * 301), "301 tests"), ("&&".join(["tcp"] * 301), "301 tests"),
    ("portrange 1-2 or " * 150 + "tcp", "301 tests"), ("tcp" + " " * 12286, "12,289 characters"),
    ("tcp[tcpflags] & tcp-syn != 0 or " * 290 + "tcp", "")])
def test_a_filter_too_long_for_libpcap_is_refused(monkeypatch, text, told):
    """Without a question to libpcap, which takes a time that grows with the cube of the tests."""
    monkeypatch.setattr(capture_filter, "mistake_in", lambda *_: "asked")
    for build in (lambda: compile_for(text, 1), lambda: build_filter(text)):
        with pytest.raises(FilterError, match=told or "asked") as caught:
            build()
        assert len(str(caught.value)) < 400 or not told


@pytest.mark.parametrize("text", ["ip", "ip6", "not ip6", "tcp port 80 or icmp6", "not ip", "link[0:4] = 7"])
@pytest.mark.parametrize("link_type", [0, 108, 109])
@pytest.mark.parametrize("order", "<>")
def test_the_address_family_of_loopback_is_that_of_any_system(tmp_path, text, link_type, order):
    """As libpcap says of files: IPv6 has another number on each system, and each its byte order."""
    segments = {2: ip("10.0.0.1", "10.0.0.2", tcp(5000, 80, 1)), 7: bytes(40)}
    segments |= dict.fromkeys([24, 28, 30], ip("fd00::1", "fd00::2", tcp(5000, 80, 1)))
    after = bytes(8) if link_type == 109 else b""
    frames = [struct.pack((">" if link_type == 108 else order) + "I", family) + after + data
              for family, data in segments.items()]
    path = tmp_path / "loopback.pcap"
    path.write_bytes(pcap([Frame(i * 1000, data, len(data)) for i, data in enumerate(frames)], link_type=link_type,
                          order=order))
    theirs, accepted = pcapy.open_offline(str(path)), []
    theirs.setfilter(text)
    theirs.loop(0, lambda header, _: accepted.append(header.getts()[1] * 1000))
    reader, batch = Reader(io.BytesIO(path.read_bytes())), Batch(8)
    assert reader.next(batch)
    build_filter(text).process(batch)
    assert batch.frame_array["time_ns"].tolist() == accepted
