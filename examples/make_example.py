"""Make loopback.pcap: a real HTTP exchange on the loopback interface, with a retransmission and a close.

The retransmission is real: for a moment the server's socket drops what arrives (a socket filter
that accepts nothing), so the client's kernel sends its second request again.  Run as root.
"""
import ctypes
import select
import socket
import struct
import threading
import time
from pathlib import Path

import pcapy

from tcpcore.batch import Batch
from tcpcore.live_reader import LiveReader
from tcpkit.capture_writer import CaptureWriter

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
PAGE = b"".join(b"<p>Line %d of the page.</p>\n" % number for number in range(400))


def drop_everything(connection: socket.socket) -> None:
    program = ctypes.create_string_buffer(struct.pack("=HBBI", 0x06, 0, 0, 0))      # ret 0
    connection.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(program)))


def receive_request(connection: socket.socket) -> None:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        request += connection.recv(4096)


def serve(listener: socket.socket, answered: threading.Event, deaf: threading.Event) -> None:
    connection, _ = listener.accept()
    receive_request(connection)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(PAGE)
    connection.sendall(head + PAGE)
    answered.wait()
    drop_everything(connection)
    deaf.set()
    time.sleep(0.15)
    connection.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
    receive_request(connection)
    connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    connection.close()


def browse(port: int, answered: threading.Event, deaf: threading.Event) -> None:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    received = 0
    while received < len(PAGE):
        received += len(client.recv(65536))
    answered.set()
    deaf.wait()
    client.sendall(b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n")
    while client.recv(65536):
        pass
    client.close()


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    handle = pcapy.open_live("lo", 262144, False, 100)
    handle.setfilter(f"tcp port {port}")
    handle.setnonblock(1)
    answered, deaf = threading.Event(), threading.Event()
    actors = [threading.Thread(target=serve, args=(listener, answered, deaf)),
              threading.Thread(target=browse, args=(port, answered, deaf))]
    for actor in actors:
        actor.start()
    for actor in actors:
        actor.join()
    reader, batch = LiveReader(handle), Batch()
    with CaptureWriter(Path(__file__).with_name("loopback.pcap")) as writer:
        while select.select([handle.getfd()], [], [], 0.5)[0] and reader.next(batch):
            writer.write(batch)
    print(f"{writer.frames} frames in {writer.path}")


if __name__ == "__main__":
    main()
