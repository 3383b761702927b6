"""Live capture on loopback: what a session reports is what its file says, and failures are told."""
import io
import shutil
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from rich.console import Console

import tcpkit
from live.wires import may_capture
from tcpkit.capture_writer import Ring
from tcpkit.interface_reader import InterfaceReader
from tcpkit.live_cells import STATES, TRAFFIC
from tcpkit.live_view import LiveView


class Exchange:
    """Scenario S2 on a port of its own: connect, 14 bytes, close, close; once per call."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.filter = f"tcp port {self.port}"

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            accepted, _ = self.server.accept()
            client.sendall(b"I'm TCP client")
            assert accepted.recv(100) == b"I'm TCP client"
        assert accepted.recv(100) == b""
        accepted.close()


def assert_equal_but_for_places(live_rows, file_rows):
    """Only where bytes lie differs: a file has record headers between them."""
    assert live_rows.dtype == file_rows.dtype
    for name in live_rows.dtype.names:
        if not name.endswith("_offset"):
            np.testing.assert_array_equal(live_rows[name], file_rows[name], name)


@pytest.fixture
def exchange():
    talk = Exchange()
    yield talk
    talk.server.close()


@may_capture
def test_an_exchange_is_reported_as_it_happens(exchange):
    with tcpkit.live("lo", capture_filter=exchange.filter, duration=20) as capture:
        threading.Timer(0.3, exchange.run).start()
        segments = []
        for table in capture:
            segments += zip(table["flags"].tolist(), table["seq"].tolist(), table["ack"].tolist(),
                            table["payload_len"].tolist(), strict=True)
            if sum(flags & 1 for flags, *_ in segments) == 2 and segments[-1][0] == 0x10:
                capture.stop()
    assert segments[0][:2] == (0x02, 0)
    assert (0x18, 1, 1, 14) in segments
    assert (0x11, 15, 1, 0) in segments             # the client's FIN
    assert (0x11, 1, 16, 0) in segments             # the server's
    assert segments[-1][1:] == (16, 2, 0)
    assert len(capture.flows) == 1
    assert capture.statistics.dropped == 0


@may_capture
@pytest.mark.parametrize("suffix", ["pcap", "pcapng"])
def test_the_written_file_says_the_same(exchange, tmp_path, suffix):
    path = tmp_path / f"live.{suffix}"
    with tcpkit.live("lo", capture_filter=exchange.filter, duration=20, write=path) as capture:
        threading.Timer(0.2, lambda: [exchange.run() for _ in range(20)]).start()
        pieces = []
        for table in capture:
            pieces.append(table.array)
            if len(capture.flows) == 20 and not len(table):
                capture.stop()
    seen, read = np.concatenate(pieces), tcpkit.open(path)
    assert len(seen) >= 120
    assert_equal_but_for_places(seen, read.packets.array)
    assert_equal_but_for_places(capture.flows.array, read.judged_flows.array)
    if shutil.which("tshark"):
        listed = subprocess.run(["tshark", "-n", "-r", path], capture_output=True, text=True, check=True)
        assert len(listed.stdout.splitlines()) == len(seen)


def settled(tables, capture):
    """The streams that ``finished`` tells of until nothing has come for a while."""
    ended, quiet = [], 0
    while quiet < 3:
        table = next(tables)
        ended += capture.finished["stream"].tolist()
        quiet = 0 if len(table) else quiet + 1
    return ended


@may_capture
@pytest.mark.parametrize(("idle_timeout", "held"), [(0, [0, 1, 2]), (0.4, [2])])
def test_flows_are_those_seen_but_for_those_let_go_of(exchange, idle_timeout, held):
    with (tcpkit.live("lo", capture_filter=exchange.filter, duration=20, idle_timeout=idle_timeout) as capture,
          socket.socket() as client):
        tables = iter(capture)
        assert settled(tables, capture) == []
        exchange.run()
        client.connect(("127.0.0.1", exchange.port))
        exchange.server.accept()[0].close()
        ended = settled(tables, capture)
        assert (ended, capture.flows["stream"].tolist()) == ([0], [0, 1])
        assert capture.unfinished["stream"].tolist() == [1]
        time.sleep(0.5)
        exchange.run()
        ended += settled(tables, capture)
        assert sorted(capture.flows["stream"].tolist()) == held
        assert sorted(ended + capture.unfinished["stream"].tolist()) == [0, 1, 2]
        assert capture.n_flows == 3


@may_capture
def test_it_ends_after_count_frames(exchange):
    threading.Timer(0.2, lambda: [exchange.run() for _ in range(3)]).start()
    with tcpkit.live("lo", capture_filter=exchange.filter, duration=20, count=12) as capture:
        assert sum(len(table) for table in capture) == 12


@may_capture
def test_the_ring_keeps_the_last_files(exchange, tmp_path):
    with tcpkit.live("lo", capture_filter=exchange.filter, duration=20, write=tmp_path / "ring.pcap",
              ring=Ring(files=2, size=500)) as capture:
        for table in capture:
            if len(capture.flows) < 5:
                exchange.run()
            elif not len(table):
                capture.stop()
    kept = sorted(path.name for path in tmp_path.iterdir())
    assert len(kept) == 2
    assert kept[-1] > "ring_00003.pcap"
    assert len(tcpkit.open(tmp_path / kept[-1]).packets)


def test_an_interface_that_is_not_there():
    with pytest.raises(tcpkit.CaptureError, match=r"nosuch0: (there is no such interface|capturing needs permission)"):
        InterfaceReader("nosuch0")


@may_capture
def test_a_wrong_filter_points_at_the_word():
    with pytest.raises(tcpkit.FilterError) as error:
        InterfaceReader("lo", capture_filter="tcp prot 80")
    assert error.value.text[error.value.start:error.value.end] == "prot"


@may_capture
def test_the_command_ends_with_a_complete_file_at_ctrl_c(exchange, tmp_path):
    path = tmp_path / "out.pcapng"
    command = [sys.executable, "-m", "tcpkit", "capture", "-i", "lo", "-f", exchange.filter, "-w", str(path),
               "--packets"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert "No." in process.stdout.readline()
        exchange.run()
        while "[FIN, ACK]" not in process.stdout.readline():
            pass
        process.send_signal(2)
        _, told = process.communicate(timeout=20)
    assert "0 dropped by the kernel" in told
    assert str(path) in told
    assert len(tcpkit.open(path).flows) == 1


@may_capture
@pytest.mark.parametrize("headings", [TRAFFIC, STATES])
def test_the_picture_shows_connections_and_steers_nothing(exchange, headings):
    screen = io.StringIO()
    with tcpkit.live("lo", capture_filter=exchange.filter, duration=20) as capture:
        console = Console(file=screen, width=140, height=30)
        with LiveView(capture, "l\x1b[31mo", headings, console=console) as view:
            for batch in capture.pipeline:
                view.update(batch)
                if capture.n_flows == 0:
                    exchange.run()
                elif not batch.n_frames:
                    capture.stop()
    text = screen.getvalue()
    assert f"127.0.0.1:{exchange.port}" in text
    assert "TIME-WAIT" in text
    assert "1 connections, 0 not ended" in text
    assert "\\x1b[31mo" in text
    assert "\x1b" not in text
