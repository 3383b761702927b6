"""Display filters: the frames that tshark selects."""
import pytest

import tcpkit
from conversations import random_capture
from filter_expressions import EXPRESSIONS
from layers import LINKS, TUNNELS
from odd_frames import ICMP, NETWORK, TCP
from packets import T0, Frame, ip, pcap, tcp
from tshark import needs_tshark, tshark

STEP = 10_000_000
AT_ONCE = 60                     # filters of one run of tshark


def spread(frames):
    """One frame in each interval of ``STEP``, so that counts of intervals tell which frames they are."""
    return [Frame(T0 + i * STEP + (STEP // 3 if i else 0), frame.data, frame.wire_len)
            for i, frame in enumerate(frames)]


def encapsulated():
    cases = [case for case in {**LINKS, **TUNNELS}.values() if case.link_type == 1 and not case.depth]
    segments = [tcp(50000, 80, 1, payload=bytes(i)) for i in range(len(cases))]
    packets = [case.wrap(ip("10.0.0.1", "10.0.0.2", segment))
               for case, segment in zip(cases, segments, strict=True)]
    odd = {**NETWORK, **TCP, **ICMP}.values()
    return [frame if isinstance(frame, Frame) else Frame(T0, frame, len(frame)) for frame in [*packets, *odd]]


CAPTURES = {
    "conversations": spread(random_capture(5, 20)[:300]),
    "more conversations": spread(random_capture(17, 12)[:250]),
    "odd headers": spread(encapsulated()),
}


def selected(path, n_frames, expressions):
    """The frames that each filter selects, by the tables of one run, an interval for each frame."""
    statistics = [part for text in expressions for part in ("-z", f"io,stat,{STEP / 1e9},tcp && ({text})")]
    rows = [line.split("|")[2] for line in tshark("-q", "-r", path, *statistics).splitlines() if " <> " in line]
    assert len(rows) == n_frames * len(expressions)
    tables = [rows[i:i + n_frames] for i in range(0, len(rows), n_frames)]
    # The tables come in the reverse order of the filters.
    return {text: [i for i, count in enumerate(table, 1) if int(count)]
            for text, table in zip(reversed(expressions), tables, strict=True)}


@needs_tshark
@pytest.mark.parametrize("name", CAPTURES)
def test_selects_as_tshark_does(tmp_path, name):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(CAPTURES[name], nano=True))
    packets = tcpkit.open(path).packets
    plain = [text for text in EXPRESSIONS if "," not in text]      # a comma ends the filter there
    expected = {}
    for at in range(0, len(plain), AT_ONCE):
        expected |= selected(path, len(CAPTURES[name]), plain[at:at + AT_ONCE])
    actual = {text: packets.where(text).array["frame"].tolist() for text in plain}
    differing = [f"{text}: tshark {expected[text]}, tcpkit {actual[text]}" for text in plain
                 if expected[text] != actual[text]]
    assert not differing, "\n".join(differing)


@needs_tshark
@pytest.mark.parametrize("text", [text for text in EXPRESSIONS if "," in text])
def test_sets_select_as_in_tshark(tmp_path, text):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(CAPTURES["conversations"], nano=True))
    expected = tshark("-r", path, "-Y", f"tcp && ({text})", "-T", "fields", "-e", "frame.number").split()
    assert tcpkit.open(path).packets.where(text).array["frame"].tolist() == [int(number) for number in expected]


@needs_tshark
@pytest.mark.parametrize("text", [
    "tcp.port != 65536", "tcp.port in {80..65536}", "tcp.len < 4294967296", "ip.ttl < 256", "tcp.flags < 65536",
    "max(tcp.port) < 65536", "tcp.window_size_scalefactor < 2147483648", "tcp.flags.syn != -1", "tcp.len < TRUE",
    "tcp.flags.syn != 18446744073709551616"])
def test_refuses_what_tshark_refuses(tmp_path, text):
    path = tmp_path / "capture.pcap"
    path.write_bytes(pcap(CAPTURES["conversations"], nano=True))
    assert tshark("-r", path, "-Y", "tcp || !(tcp)")
    assert not tshark("-r", path, "-Y", f"({text}) || tcp || !(tcp)")
    with pytest.raises(tcpkit.FilterError):
        tcpkit.open(path).packets.where(text)
