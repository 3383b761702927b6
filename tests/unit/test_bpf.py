"""tcpcore.bpf and tcpkit.capture_filter against libpcap's own filter()."""
import pcapy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packets import ethernet, ip, tcp
from tcpcore.bpf import Program
from tcpkit.capture_filter import build_filter, compile_for
from tcpkit.errors import FilterError

EXPRESSIONS = [
    "tcp port 80 and host 10.0.0.1", "ip6", "vlan 5 and tcp", "pppoes and host 10.0.0.1", "len > 100",
    "ether[0] & 1 = 0 and ip[16] >= 224", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "portrange 1-1024",
    "net 10.0.0.0/8", "ip[2:2] - ((ip[0]&0xf)<<2) - ((tcp[12]&0xf0)>>2) != 0", "ip[8] / 3 == 5", "mpls 3",
    "icmp or udp", "ip[8] % 7 = 1", "ip[1] * 3 - 2 > 5", "ip[8] ^ 3 != 67", "-ip[8] < 100", "less 90",
    "src host fd00::1 and tcp dst port 5000", "ip[0] << 4 = 0x450", "ip[4:2] | 1 = 1", "not tcp", "vlan and vlan",
]
LINK_TYPES = {1: 1, 101: 12, 113: 113}
CASES = [(text, link_type) for text in EXPRESSIONS for link_type in LINK_TYPES]


def compiled(text, link_type):
    """libpcap's own program, or None for a link type the filter does not fit."""
    try:
        return pcapy.compile(LINK_TYPES[link_type], 262144, text, 1, 0xFFFFFFFF)
    except pcapy.PcapError:
        return None


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
    [], [(0x06, 0, 0, 1), (0x05, 0, 0, 0)], [(0x05, 0, 0, 5), (0x06, 0, 0, 0)], [(0x15, 1, 0, 0), (0x06, 0, 0, 0)],
    [(0x60, 0, 0, 16), (0x06, 0, 0, 0)], [(0x02, 0, 0, 16), (0x06, 0, 0, 0)], [(0x34, 0, 0, 0), (0x06, 0, 0, 0)]])
def test_refuses_what_could_run_astray(instructions):
    with pytest.raises(ValueError, match="BPF"):
        Program(instructions)


def test_division_by_zero_in_x_rejects_the_frame():
    assert Program([(0x01, 0, 0, 0), (0x3C, 0, 0, 0), (0x06, 0, 0, 1)]).run(b"") == 0


def test_the_length_is_the_one_on_the_wire():
    assert Program([(0x80, 0, 0, 0), (0x16, 0, 0, 0)]).run(b"abc", 1500) == 1500


@pytest.mark.parametrize(("text", "word"), [
    ("tcp prt 80", "prt"), ("host 10.0.0.300", "10.0.0.300"), ("tcp port", ""), ("prot 5 or tcp", "prot"),
    ("tcp[13] & 2 != 0 adn udp", "adn"), ("(tcp", "")])
def test_points_at_the_wrong_word(text, word):
    with pytest.raises(FilterError) as caught:
        build_filter(text)
    error = caught.value
    assert text[error.start:error.end] == word
    assert str(error).splitlines()[-1] == "  " + " " * error.start + "^" * max(1, len(word))


def test_a_filter_for_another_link_type_is_not_refused_beforehand():
    build_filter("wlan type mgt")
