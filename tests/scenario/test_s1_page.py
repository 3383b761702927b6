"""S1: what a page's two connections look like in the tables and lists."""
from __future__ import annotations

import io

import pytest
from browser_fetches_a_page import capture

import tcpkit

# frame: (from client, frame length, length, seq, next seq, ack, window)
SEEN = {
    1: (True, 62, 0, 0, 1, 0, 65535), 2: (False, 62, 0, 0, 1, 1, 8192), 3: (True, 54, 0, 1, 1, 1, 65535),
    4: (True, 417, 363, 1, 364, 1, 65535), 5: (False, 60, 0, 1, 1, 364, 6432), 6: (False, 465, 411, 1, 412, 364, 6432),
    7: (False, 1474, 1420, 412, 1832, 364, 6432), 8: (True, 54, 0, 364, 364, 1832, 65535),
    9: (False, 773, 719, 1832, 2551, 364, 6432), 10: (True, 492, 438, 364, 802, 2551, 65535),
    11: (True, 62, 0, 0, 1, 0, 65535), 20: (True, 54, 0, 1, 1, 1, 65535), 21: (True, 465, 411, 1, 412, 1, 65535),
}
INFO = {
    1: "5672 → 80 [SYN] Seq=0 Win=65535 Len=0 MSS=1460 SACK_PERM",
    2: "80 → 5672 [SYN, ACK] Seq=0 Ack=1 Win=8192 Len=0 MSS=1460 SACK_PERM",
    3: "5672 → 80 [ACK] Seq=1 Ack=1 Win=65535 Len=0",
    4: "5672 → 80 [PSH, ACK] Seq=1 Ack=1 Win=65535 Len=363",
    5: "80 → 5672 [ACK] Seq=1 Ack=364 Win=6432 Len=0",
    29: "80 → 5673 [FIN, ACK] Seq=3898 Ack=412 Win=6432 Len=0",
}


@pytest.fixture(scope="module")
def page():
    return tcpkit.open(io.BytesIO(capture()))


@pytest.mark.parametrize("frame", SEEN)
def test_frame(page, frame):
    row = page.packets[frame - 1]
    names = ("frame_len", "payload_len", "seq", "nxtseq", "ack", "window")
    assert row["frame"] == frame
    assert (row["src"] == "192.168.89.125", *(row[name] for name in names)) == SEEN[frame]


@pytest.mark.parametrize("frame", INFO)
def test_info(page, frame):
    assert page.packets["info"][frame - 1] == INFO[frame]


def test_two_connections(page):
    flows = page.flows
    assert flows["client"].tolist() == ["192.168.89.125"] * 2
    assert flows["server"].tolist() == ["220.181.6.175"] * 2
    assert flows["client_port"].tolist() == [5672, 5673]
    assert flows["server_port"].tolist() == [80, 80]
    assert flows["payload_bytes_client"].tolist() == [363 + 438 + 399, 411]
    assert flows["payload_bytes_server"].tolist() == [2550 + 1801, 3897]
    assert flows["retransmissions_client"].tolist() == flows["retransmissions_server"].tolist() == [0, 0]
    assert flows["completeness"].tolist() == [31, 31]
    assert flows["initial_rtt"].astype(int).tolist() == [20_000_000, 90_000_000]


def test_every_part_of_a_response_acknowledges_its_request(page):
    for frames, ack, size in (((6, 7, 9), 364, 2550), ((13, 14, 16, 17), 802, 1801), ((23, 24, 26, 27), 412, 3897)):
        parts = page.packets.where(f"frame.number in {{{', '.join(map(str, frames))}}}")
        assert set(parts["ack"].tolist()) == {ack}
        assert int(parts["payload_len"].sum()) == size


@pytest.mark.parametrize(("stream", "responses"), [
    (0, [[(6, 0, 411), (7, 411, 1420), (9, 1831, 719)],
         [(13, 2550, 312), (14, 2862, 1420), (16, 4282, 28), (17, 4310, 41)]]),
    (1, [[(23, 0, 310), (24, 310, 1420), (26, 1730, 1420), (27, 3150, 747)]])])
def test_a_response_is_listed_with_its_parts(tmp_path, cli, stream, responses):
    path = tmp_path / "page.pcap"
    path.write_bytes(capture())
    lines = cli("follow", path, stream, "--server", "--parts").out.decode().splitlines()[1:]
    expected = []
    for parts in responses:
        expected += [f"server {frame} {offset} {offset + length - 1} {length}" for frame, offset, length in parts]
        expected.append(f"{sum(length for *_, length in parts)} in all")
    assert [" ".join(line.split()) for line in lines] == expected


def test_largest_segment_is_smaller_than_the_offers(page):
    packets = page.packets
    assert set(packets["mss"].compressed().tolist()) == {1460}
    assert packets.where("ip.src == 220.181.6.175")["payload_len"].max() == 1420


def test_nothing_is_wrong(page):
    assert len(page.packets.where("tcp.analysis.flags")) == 0
    assert len(page.retransmissions) == 0
    assert page.warnings == []
