"""Link layers, tunnels, compressed packets and ICMP: one or a few frames of a chosen link type."""
import zlib
from collections.abc import Iterator

import passes
from script import Script, pieces

from layers import LINKS, TUNNELS
from odd_frames import ICMP, NETWORK
from packets import Frame, ethernet, ipv4, ipv6, tcp

INNER = {"4": ipv4("10.0.0.1", "10.0.0.2", tcp(1, 2, 3, payload=b"x")), "6": ipv6("fd00::1", "fd00::2", tcp(1, 2, 3))}
TYPES = sorted({each.link_type for each in LINKS.values()})
CHECKED = 1 | 0x24000000                        # Ethernet whose frames end with 4 bytes of check sequence


def one(data: bytes) -> None:
    script = Script(data)
    link_type = script.choose((*TYPES, CHECKED, 250))
    frames = []
    while script:
        frames.append(script.piece())
    passes.run_stages(passes.as_capture(frames, link_type))


def compressed(payload: bytes, protocol: int) -> bytes:
    """IPComp (RFC 3173)."""
    engine = zlib.compressobj(wbits=-15)
    return bytes([protocol, 0, 0, 2]) + engine.compress(payload) + engine.flush()


def seeds() -> Iterator[bytes]:
    once = compressed(tcp(1, 2, 3, payload=b"x"), 6)
    for body in (once, compressed(once, 108), compressed(compressed(once, 108), 108)):
        yield bytes([TYPES.index(1)]) + 2 * pieces(ethernet(ipv4("10.0.0.1", "10.0.0.2", body, 108)))
    for each in (*LINKS.values(), *TUNNELS.values()):
        for version in each.versions:
            yield bytes([TYPES.index(each.link_type)]) + pieces(each.wrap(INNER[version]))
    for frame in (*NETWORK.values(), *ICMP.values()):
        content = frame.data if isinstance(frame, Frame) else frame
        yield bytes([TYPES.index(1)]) + pieces(content)
        yield bytes([len(TYPES)]) + pieces(content)
