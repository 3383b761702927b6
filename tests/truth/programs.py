"""Small TCP programs that make the traffic: ``programs.py server`` and ``programs.py CLIENT ADDRESS [arguments]``.

The server reads a request line from each connection, which says what it shall do.
"""
from __future__ import annotations

import random
import socket
import sys
import threading
import time

PORT = 5001
BLOCK = bytes(65536)


def receive(connection: socket.socket, wanted: int) -> None:
    while wanted > 0:
        got = len(connection.recv(min(wanted, 65536)))
        if not got:
            raise ConnectionError("closed early")
        wanted -= got


def send(connection: socket.socket, size: int) -> None:
    while size > 0:
        size -= connection.send(BLOCK[:min(size, len(BLOCK))])


def drain(connection: socket.socket) -> None:
    while connection.recv(65536):
        pass


# -- the server

def serve(connection: socket.socket) -> None:
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        word, *numbers = connection.recv(64, socket.MSG_WAITALL).decode().split()
        values = [float(number) for number in numbers]
        if word == "sink":
            drain(connection)
        elif word == "slow":
            slow_sink(connection, *values)
        elif word == "source":
            send(connection, int(values[0]))
        elif word == "echo":
            for size in values:
                receive(connection, 100)
                send(connection, int(size))
            drain(connection)
        elif word == "idle":
            drain(connection)


def slow_sink(connection: socket.socket, block: float, pause: float) -> None:
    while connection.recv(int(block)):
        time.sleep(pause)


def server(*_: str) -> None:
    listener = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20) if "big" in sys.argv else None
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


# -- clients

def connect(address: str, request: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    connection = socket.socket(family)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.connect((address, PORT))
    connection.sendall(request.encode().ljust(64))
    return connection


def upload(address: str, size: str, request: str = "sink") -> None:
    """One transfer, closed by the client; the server's close ends it."""
    with connect(address, request) as connection:
        send(connection, int(size))
        connection.shutdown(socket.SHUT_WR)
        drain(connection)


def slow(address: str, size: str, block: str, pause: str) -> None:
    upload(address, size, f"slow {block} {pause}")


def download(address: str, size: str) -> None:
    with connect(address, f"source {size}") as connection:
        drain(connection)


def uploads(address: str, size: str, count: str, pause: str) -> None:
    """One after the other."""
    for _ in range(int(count)):
        upload(address, size)
        time.sleep(float(pause))


def parallel(address: str, size: str, count: str) -> None:
    threads = [threading.Thread(target=upload, args=(address, size)) for _ in range(int(count))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def exchange(address: str, sizes: list[int], pause: float) -> None:
    with connect(address, "echo " + " ".join(map(str, sizes))) as connection:
        for size in sizes:
            send(connection, 100)
            receive(connection, size)
            time.sleep(pause)


def exchanges(address: str, connections: str, count: str, largest: str, pause: str = "0", seed: str = "1") -> None:
    """Requests of 100 bytes, answers of 1 to ``largest`` bytes, on several connections at once."""
    rng = random.Random(int(seed))
    threads = []
    for _ in range(int(connections)):
        sizes = [rng.choice((1, 2, 100, int(rng.uniform(1, int(largest))))) for _ in range(int(count))]
        threads.append(threading.Thread(target=exchange, args=(address, sizes, float(pause))))
        threads[-1].start()
        time.sleep(rng.uniform(0, 0.01))
    for thread in threads:
        thread.join()


def idle(address: str, seconds: str) -> None:
    """Keep-alives each second."""
    with connect(address, "idle") as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        time.sleep(float(seconds))
        connection.sendall(bytes(50))


def typing(address: str, count: str, pause: str) -> None:
    """Single bytes, as from a keyboard."""
    with connect(address, "sink") as connection:
        for _ in range(int(count)):
            connection.sendall(b"x")
            time.sleep(float(pause))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
