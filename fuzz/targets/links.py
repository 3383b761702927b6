"""Link layers, tunnels and ICMP: one or a few frames of a chosen link type."""
from collections.abc import Iterator

import passes
from script import Script, pieces

from layers import LINKS, TUNNELS
from odd_frames import ICMP, NETWORK
from packets import Frame, ipv4, ipv6, tcp

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


def seeds() -> Iterator[bytes]:
    for each in (*LINKS.values(), *TUNNELS.values()):
        for version in each.versions:
            yield bytes([TYPES.index(each.link_type)]) + pieces(each.wrap(INNER[version]))
    for frame in (*NETWORK.values(), *ICMP.values()):
        content = frame.data if isinstance(frame, Frame) else frame
        yield bytes([TYPES.index(1)]) + pieces(content)
        yield bytes([len(TYPES)]) + pieces(content)
