"""Real transfers come back as they were sent: over a lossy path between two namespaces, and from recorded captures."""
import hashlib
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tcpkit
from tcpcore.flags import ChunkKind

SHARED = Path(os.environ.get("SHARED", Path(__file__).parents[2] / ".." / "shared"))
RECORDED = sorted(SHARED.glob("real/*.pcap"))
RELAY = Path(__file__).parents[1] / "truth"
CAN_RELAY = (os.geteuid() == 0 and os.access("/dev/net/tun", os.W_OK)
             and all(map(shutil.which, ("ip", "curl", "sysctl"))))
SIZE = 400_000


@pytest.fixture(scope="module")
def transfer(tmp_path_factory):
    """A download over a path that loses, reorders and duplicates: directory with file, snd.pcap and rcv.pcap."""
    sys.path.insert(0, str(RELAY))
    try:
        from hosts import ADDRESSES, Hosts
        from path import Path as LossyPath
        from relay import CaptureFile, Relay, Stage
    finally:
        sys.path.remove(str(RELAY))
    directory = tmp_path_factory.mktemp("transfer")
    (directory / "file").write_bytes(random.Random(5).randbytes(SIZE))
    lossy = LossyPath(delay=4, loss=0.02, reorder=0.03, reorder_delay=3, duplicate=0.02, duplicate_delay=1)
    captures = {point: CaptureFile(directory / f"{point}.pcap", snap=65536) for point in ("snd", "rcv")}
    with Hosts({}) as hosts:
        relay = Relay(hosts.taps, [Stage(lossy, lossy, "snd", "rcv")], "5", captures)
        inside = [["ip", "netns", "exec", name] for name in hosts.names]
        hosts.processes.append(subprocess.Popen(
            [*inside[1], sys.executable, "-m", "http.server", "8000", "-d", directory], stderr=subprocess.DEVNULL))
        time.sleep(1)
        client = subprocess.Popen([*inside[0], "curl", "-s", "--max-time", "40", "-o", directory / "received",
                                   f"http://{ADDRESSES[1][0]}:8000/file"])
        hosts.processes.append(client)
        relay.run(lambda: client.poll() is not None)
        quiet = time.monotonic() + 0.5
        relay.run(lambda: time.monotonic() > quiet)
    for capture in captures.values():
        capture.close()
    assert digest((directory / "received").read_bytes()) == digest((directory / "file").read_bytes())
    return directory


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.mark.skipif(not CAN_RELAY, reason="a path between network namespaces needs root, /dev/net/tun and curl")
@pytest.mark.parametrize("point", ["snd", "rcv"])
def test_a_download_over_a_lossy_path(transfer, point):
    capture = tcpkit.open(transfer / f"{point}.pcap")
    original = digest((transfer / "file").read_bytes())
    retransmitted = len(capture.retransmissions)
    (exchange,) = capture.http
    response = exchange.response
    body = capture.streams[exchange.stream].server.read(response.offset + response.header_length)
    assert response.complete
    assert digest(body) == original
    scanned = b"".join(bytes(piece) for piece in tcpkit.scan_streams(transfer / f"{point}.pcap")
                       if piece.kind == ChunkKind.CHUNK_DATA and piece.direction == 1)
    assert digest(scanned[-SIZE:]) == original
    assert retransmitted > 0


@pytest.mark.skipif(not RECORDED, reason="the recorded transfers are not there: no real/ in $SHARED")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_recorded_transfers_have_no_hole(path):
    """Bytes cut by the snap length apart; what nobody acknowledged had not arrived when the capture ended."""
    if path.name.startswith("seq-wrap"):
        pytest.skip("made without a handshake: no telling where its bytes begin")
    for stream in tcpkit.open(path).streams:
        for side in (stream.client, stream.server):
            kinds, offsets = side.holes["kind"], side.holes["offset"]
            assert "unseen" not in kinds
            assert all(offsets[kinds == "missing"] >= side.acked)
