"""IP fragments: whose, from where to where, and with what bytes, as the data says."""
from collections.abc import Iterator

import passes
from script import Dice, Script

from fragment_trains import Fragment, frames, trains
from packets import pcap


def one(data: bytes) -> None:
    script = Script(data)
    fragments = []
    if script.number() & 1:
        dice = Dice(script)
        while script and len(fragments) < 200:
            size = 8 * dice.randrange(1, 30)
            fragments.append(Fragment(dice.randrange(4), dice.choice((4, 6)), 8 * dice.randrange(40),
                                      dice.random() < 0.7, script.take(size)))
        for each in fragments[:1]:
            each.offset = 65528 if dice.random() < 0.1 else each.offset
    else:
        fragments = trains(script.number(4), 2 + script.number() % 12)
    passes.run_stages(pcap(frames(fragments)))


def seeds() -> Iterator[bytes]:
    for seed in range(8):
        yield bytes([0, 0, 0, 0, seed, 9])
        yield b"\1" + b"".join(bytes([seed, part, 0, part, part]) + bytes([part]) * (8 * part + 8) for part in range(9))
