"""TCP options: a connection whose every header carries the options that the data gives."""
from collections.abc import Iterator

import passes
from script import Script, pieces

from packets import NOP, SACK_PERMITTED, ipv4, mss, sack, tcp, timestamps, wscale

FLAGS = ("S", "SA", "A", "PA", "A", "FA", "R", "SFRPAUEW")


def one(data: bytes) -> None:
    script = Script(data)
    frames: list[bytes] = []
    while script:
        forth, flags = script.number() & 1, script.choose(FLAGS)
        seq, size = 1000 + script.number(), script.number() & 31
        ends = ("10.0.0.1", "10.0.0.2") if forth else ("10.0.0.2", "10.0.0.1")
        ports = (5, 80) if forth else (80, 5)
        frames.append(ipv4(*ends, tcp(*ports, seq, 1100, flags, options=script.piece()[:40], payload=bytes(size))))
    passes.run_stages(passes.as_capture(frames, 101))


def seeds() -> Iterator[bytes]:
    syn = mss() + SACK_PERMITTED + timestamps(1) + NOP + wscale(7)
    yield (b"\1\0\0\0" + pieces(syn) + b"\0\1\0\0" + pieces(syn) + b"\1\3\1\5" + pieces(timestamps(2, 1))
           + b"\0\2\1\0" + pieces(NOP + NOP + sack((1003, 1006), (1010, 1020), (1030, 1040))))
    for each in (b"\x1e\x0c\x00\x81" + bytes(8), b"\x22\x0a" + bytes(8), b"\xfe\x04\xf9\x89", b"\x13\x12" + bytes(16),
                 b"\x05\x22" + bytes(32), b"\x0e\x03\x01\x0f\x04\1\2\x1c\x04\1\1"):
        yield b"\1\0\0\0" + pieces(each) + b"\0\1\0\0" + pieces(each)
