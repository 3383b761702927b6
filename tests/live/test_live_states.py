"""Scenarios S2 and S3 as they happen on loopback, the states beside those that the kernel tells of itself."""
from __future__ import annotations

import socket
import struct
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

import tcpkit
from live.wires import may_capture

pytestmark = may_capture
KERNEL = {1: "ESTABLISHED", 2: "SYN-SENT", 3: "SYN-RECEIVED", 4: "FIN-WAIT-1", 5: "FIN-WAIT-2", 6: "TIME-WAIT",
          7: "CLOSED", 8: "CLOSE-WAIT", 9: "LAST-ACK", 10: "LISTEN", 11: "CLOSING"}
GREETING = b"I'm TCP client"


class Session:
    """A server on a port of its own and a capture that sees it."""

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack
        self.server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self.server.getsockname()[1]
        self.capture = stack.enter_context(tcpkit.live("lo", capture_filter=f"tcp port {self.port}", duration=60))
        self.tables = iter(self.capture)
        self.ended: list[dict] = []
        self.rows: list[dict] = []
        self.settle()

    def connect(self) -> tuple[socket.socket, socket.socket]:
        client = self.stack.enter_context(socket.create_connection(("127.0.0.1", self.port)))
        return client, self.stack.enter_context(self.server.accept()[0])

    def settle(self) -> None:
        """Until nothing has come for a while."""
        quiet = 0
        while quiet < 3:
            table = next(self.tables)
            quiet = 0 if len(table) else quiet + 1
            self.rows += [table[i] for i in range(len(table))]
            if len(table):
                finished = self.capture.finished
                self.ended += [finished[i] for i in range(len(finished))]

    def inferred(self) -> dict[int, tuple[str, str]]:
        """The states of client and server by the client's port."""
        self.settle()
        states = self.capture.states
        return dict(zip(states["client_port"].tolist(), zip(states["client_state"].tolist(),
                                                            states["server_state"].tolist(), strict=True), strict=True))

    def of_the_kernel(self) -> dict[int, tuple[str, str]]:
        """The same from /proc/net/tcp; an end without a socket is CLOSED."""
        ends: dict[int, list[str]] = {}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            _, local, remote, code = line.split()[:4]
            ports = [int(end.split(":")[1], 16) for end in (local, remote)]
            if self.port in ports and ports[1]:
                of_server = ports[0] == self.port
                pair = ends.setdefault(ports[1] if of_server else ports[0], ["CLOSED", "CLOSED"])
                pair[of_server] = KERNEL[int(code, 16)]
        return {port: (client, server) for port, (client, server) in ends.items()}


@pytest.fixture
def session():
    with ExitStack() as stack:
        yield Session(stack)


def test_s2_the_account_of_a_short_exchange(session):
    client, accepted = session.connect()
    client.sendall(GREETING)
    assert accepted.recv(100) == GREETING
    client.close()
    assert accepted.recv(100) == b""
    time.sleep(0.3)                                 # the ACK of the client's FIN goes before the server's own
    accepted.close()
    session.settle()
    (flow,) = session.ended
    assert (flow["client"], flow["server"], flow["server_port"]) == ("127.0.0.1", "127.0.0.1", session.port)
    assert (flow["payload_bytes_client"], flow["payload_bytes_server"], flow["closer"]) == (14, 0, "client")
    assert (flow["outcome"], flow["teardown"]) == ("complete", "four_way")
    fins = [(row["src_port"] == session.port, row["seq"], row["ack"]) for row in session.rows if row["flag_fin"]]
    assert fins == [(False, 15, 1), (True, 1, 16)]
    last = session.rows[-1]
    assert (last["seq"], last["ack"], last["client_state"], last["server_state"]) == (16, 2, "TIME-WAIT", "CLOSED")
    assert len(session.rows) in (9, 10)             # with or without a bare window update


def test_s3_a_half_closed_server_as_the_kernel_sees_it(session):
    client, accepted = session.connect()
    port = client.getsockname()[1]

    def agree(*states):
        assert session.inferred() == {port: states}
        assert session.of_the_kernel() == {port: states}

    agree("ESTABLISHED", "ESTABLISHED")
    client.shutdown(socket.SHUT_WR)
    agree("FIN-WAIT-2", "CLOSE-WAIT")
    for _ in range(3):
        accepted.sendall(b"not yet ")
        time.sleep(0.3)
        agree("FIN-WAIT-2", "CLOSE-WAIT")
    assert session.capture.states["age"][0] > session.capture.states["idle"][0]
    assert session.ended == []
    accepted.close()
    agree("TIME-WAIT", "CLOSED")
    client.close()
    agree("TIME-WAIT", "CLOSED")
    assert [flow["teardown"] for flow in session.ended] == ["four_way"]
    assert [(row["client_state"], row["server_state"]) for row in session.rows[:3]] == [
        ("SYN-SENT", "SYN-RECEIVED"), ("ESTABLISHED", "SYN-RECEIVED"), ("ESTABLISHED", "ESTABLISHED")]


def test_many_connections_in_many_states(session):
    pairs = [session.connect() for _ in range(5)]
    for client, _ in pairs:
        client.sendall(b"hello")
    pairs[0][0].shutdown(socket.SHUT_WR)
    pairs[1][1].shutdown(socket.SHUT_WR)
    pairs[2][0].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    pairs[2][0].close()
    pairs[3][0].shutdown(socket.SHUT_WR)
    pairs[3][1].shutdown(socket.SHUT_WR)
    inferred, kernel = session.inferred(), session.of_the_kernel()
    # The data that the server of the fourth connection has not read does not change how it closes.
    assert inferred == kernel
    assert sorted(inferred.values()) == [("CLOSE-WAIT", "FIN-WAIT-2"), ("ESTABLISHED", "ESTABLISHED"),
                                         ("FIN-WAIT-2", "CLOSE-WAIT"), ("TIME-WAIT", "CLOSED")]
    assert {flow["teardown"] for flow in session.ended} - {"four_way", "three_way"} == {"reset"}
    assert len(session.ended) == 2
    assert len(session.capture.unfinished) == 3
    assert len(session.capture.flows) == 5


def test_a_refused_connection_is_over_at_once(session):
    session.server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", session.port))
    assert session.inferred() == {}
    assert [flow["teardown"] for flow in session.ended] == ["refused"]
