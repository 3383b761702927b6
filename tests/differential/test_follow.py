"""What is said on a stream, against tshark: recorded reports, and the installed one on random conversations."""
import os
import re
import subprocess
from pathlib import Path

import pytest

import tcpkit
from conversations import random_capture
from packets import T0, Frame, ethernet, ipv6, pcap, tcp
from tcpkit.compare import tcp_only_profile
from tcpkit.follow import Conversation
from tshark import needs_tshark

SHARED = Path(os.environ.get("SHARED", Path(__file__).parents[2] / ".." / "shared"))
RECORDED = sorted(SHARED.glob("semantics/*.follow*.txt"))
REPORT = re.compile(rb"\n={67}\nFollow: tcp,raw\nFilter: tcp\.stream eq (\d+)\n.*?\n={67}\n", re.DOTALL)


def report(path: Path, stream: int) -> bytes:
    return b"".join(Conversation(tcpkit.open(path, stages=["flows"]), stream).report())


@pytest.mark.skipif(not RECORDED, reason="the recorded reports of tshark are not there: no semantics/ in $SHARED")
@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.name)
def test_recorded_reports(recorded):
    name, stream = re.fullmatch(r"(.*)\.follow(\d+)\.txt", recorded.name).groups()
    assert report(recorded.with_name(f"{name}.pcap"), int(stream)) == recorded.read_bytes()


@pytest.mark.parametrize(("source", "written"), [
    ("::16.0.0.1", "::16.0.0.1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("fd00::1:0:0:1", "fd00::1:0:0:1")])
def test_addresses_have_the_form_of_fields(source, written, tmp_path):
    path = tmp_path / "one.pcap"
    frame = ethernet(ipv6(source, "fd00::2", tcp(50000, 80, 1, payload=b"x")))
    path.write_bytes(pcap([Frame(T0, frame, len(frame))]))
    assert f"\nNode 0: [{written}]:50000\nNode 1: [fd00::2]:80\n".encode() in report(path, 0)


@needs_tshark
@pytest.mark.parametrize("seed", range(4))
def test_random_conversations(seed, tmp_path):
    path = tmp_path / "random.pcap"
    path.write_bytes(pcap(random_capture(seed, conversations=40), nano=True))
    streams = range(len(tcpkit.open(path, stages=["flows"]).flows))
    taps = [part for stream in streams for part in ("-z", f"follow,tcp,raw,{stream}")]
    with tcp_only_profile() as profile:
        printed = subprocess.run(["tshark", "-n", "-q", "-r", path, *taps], check=True, capture_output=True,
                                 env={**os.environ, "WIRESHARK_CONFIG_DIR": profile}).stdout
    expected = {int(match[1]): match[0] for match in REPORT.finditer(printed)}
    assert expected.keys() == set(streams)
    for stream in streams:
        assert report(path, stream) == expected[stream], f"stream {stream}"
