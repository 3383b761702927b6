"""pcapng: a list of blocks whose frames are right, whatever is in them, so that mutations stay blocks."""
import contextlib
import io
from collections.abc import Iterator

import passes
from script import Script, pieces

import tcpkit
from conversations import random_capture
from packets import pcapng_block, pcapng_interface, pcapng_option, pcapng_packet, pcapng_section

KINDS = (1, 2, 3, 4, 5, 6, 9, 0x0A0D0D0A, 0xBAD, 0x40000BAD, 0x80000001, 10, 0x204, 0x80000000)


def one(data: bytes) -> None:
    script = Script(data)
    order = script.choose("<>")
    blocks = [pcapng_section(order)]
    while script:
        blocks.append(pcapng_block(script.choose(KINDS), script.piece(), order))
    capture = b"".join(blocks)
    passes.run_stages(capture)
    with contextlib.suppress(tcpkit.CaptureError):
        repr(tcpkit.open(io.BytesIO(capture)).info)


def seeds() -> Iterator[bytes]:
    frames = [frame for frame in random_capture(2, conversations=4, steps=10) if len(frame.data) < 200][:8]
    options = b"".join(pcapng_option(code, value) for code, value in (
        (1, b"comment"), (2, b"eth0"), (3, b"a card"), (4, bytes(8)), (9, b"\x89"), (9, b"\x09"), (10, bytes(4)),
        (11, b"\0tcp"), (12, b"an OS"), (13, bytes(1)), (14, bytes(8)), (0, b"")))
    for order, which in (("<", b"\0"), (">", b"\1")):
        wanted = [(0, pcapng_interface(order=order, options=options if order == "<" else b"")),
                  *((5, pcapng_packet(frame, order=order)) for frame in frames), (4, bytes(12) + bytes(24))]
        yield which + b"".join(bytes([kind]) + pieces(block[8:-4]) for kind, block in wanted)
