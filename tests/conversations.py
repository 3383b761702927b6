"""Random conversations, seeded: everything a TCP analyser has rules for, and then some nonsense.

Each conversation keeps a rough idea of both ends, so that most segments mean something (new data,
acknowledgements, repeats, probes), and now and then sends what no TCP would.
"""
from __future__ import annotations

import random

from packets import MS, NOP, SACK_PERMITTED, Conversation, Frame, mss, sack, timestamps, wscale

GAPS = (0, 1, 1000, MS // 2, 2 * MS, 3 * MS - 1, 3 * MS, 5 * MS, 19 * MS, 20 * MS, 21 * MS, 200 * MS, 1000 * MS)
WINDOWS = (0, 1, 100, 8192, 65535)
SIZES = (1, 1, 2, 10, 100, 536, 1460)
ISNS = (0, 1, 2, 1000, 2**31 - 2, 2**31, 2**32 - 3000, 2**32 - 2, 2**32 - 1)
TFO_COOKIE = b"\x22\x0a" + bytes(range(8))
MPTCP = (b"\x1e\x08\x20\x01\0\0\0\1", b"\x1e\x04\x40\x05", b"\x1e\x03\x30", b"\x1e\x04\x51\x01")
ODD_OPTIONS = (b"\x03\x02", b"\x08\x0a\0", b"\x05\x02", b"\x0f\x03\x07", b"\0\7\7\7", b"\x02\x02",
               b"\x05\x06" + bytes(4))


class End:
    """One side: what it sent, what it has been told."""

    def __init__(self, rng: random.Random) -> None:
        self.next = 0
        self.received = 0
        self.window = rng.choice(WINDOWS[2:])
        self.sent: list[tuple[int, int]] = []      # (seq, size)


class Talk:
    """One random conversation; ``frames`` are its frames in order."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self.rng = rng
        ends = ("10.1.0.1", "10.1.0.2") if rng.random() < 0.8 else ("fd00::1", "fd00::2")
        self.talk = Conversation(*ends, sport=10000 + number % 50000, dport=80, client_isn=self.isn(),
                                 server_isn=self.isn(), time=1_700_000_000_000_000_000 + rng.randrange(10**9))
        self.ends = {"c": End(rng), "s": End(rng)}
        self.stamps = rng.random() < 0.4
        self.silent = rng.choice(("", "", "", "", "c", "s"))     # a side the capture does not see

    def isn(self) -> int:
        return self.rng.choice(ISNS) if self.rng.random() < 0.5 else self.rng.randrange(2**32)

    def run(self, steps: int) -> list[Frame]:
        if self.rng.random() < 0.75:
            self.open()
        else:
            self.ends["c"].next = self.ends["s"].next = self.ends["c"].received = self.ends["s"].received = 1
        for _ in range(steps):
            self.step(self.rng.choice("cs"))
        if self.rng.random() < 0.5:
            self.close()
        return self.talk.frames

    def send(self, side: str, flags: str | int, seq: int, size: int = 0, *, ack: int | None = None,
             options: bytes = b"", window: int | None = None) -> None:
        if side == self.silent:
            return
        end, rng = self.ends[side], self.rng
        if self.stamps and not options and rng.random() < 0.9:
            options = NOP + NOP + timestamps(self.talk.time // MS, rng.randrange(2**32))
        gap = rng.choice(GAPS) if rng.random() < 0.97 else -rng.choice(GAPS)
        add = self.talk.c if side == "c" else self.talk.s
        snap = rng.choice((40, 54, 58, 60, 66, 70)) if rng.random() < 0.02 else None
        add(flags, seq, end.received if ack is None else ack, bytes(size), dt=gap, options=options,
            window=end.window if window is None else window, snap=snap)

    def open(self) -> None:
        rng, client, server = self.rng, self.ends["c"], self.ends["s"]
        offers = [mss(rng.choice((536, 1460))), SACK_PERMITTED, NOP + wscale(rng.choice((0, 2, 7, 14, 15)))]
        fast_open = rng.random() < 0.1
        for _ in range(rng.choice((1, 1, 1, 2))):
            self.send("c", "S", 0, rng.choice((0, 20)) if fast_open else 0, ack=-self.talk.server_isn,
                      options=b"".join(rng.sample(offers, rng.randrange(4))) + (TFO_COOKIE if fast_open else b""))
        client.next = server.next = server.received = 1
        if rng.random() < 0.9:
            self.send("s", "SA", 0, options=b"".join(rng.sample(offers, rng.randrange(4))))
        client.received = 1
        if rng.random() < 0.9:
            self.send("c", "A", 1)

    def step(self, side: str) -> None:
        choices = ((self.data, 30), (self.acknowledge, 25), (self.repeat, 12), (self.duplicate_ack, 10),
                   (self.probe, 6), (self.change_window, 6), (self.swap, 5), (self.jump, 4), (self.ack_unseen, 3),
                   (self.odd, 3), (self.reset, 1), (self.new_connection, 1))
        actions, weights = zip(*choices, strict=True)
        self.rng.choices(actions, weights)[0](side)

    def peer(self, side: str) -> End:
        return self.ends["s" if side == "c" else "c"]

    def data(self, side: str) -> None:
        end, size = self.ends[side], self.rng.choice(SIZES)
        self.send(side, self.rng.choices(("A", "PA", "FPA"), (60, 38, 2))[0], end.next, size)
        end.sent.append((end.next, size))
        end.next += size

    def swap(self, side: str) -> None:
        """Two segments, the second first."""
        end, size = self.ends[side], self.rng.choice(SIZES)
        self.send(side, "A", end.next + size, size)
        self.send(side, "A", end.next, size)
        end.sent += [(end.next, size), (end.next + size, size)]
        end.next += 2 * size

    def acknowledge(self, side: str) -> None:
        end, other = self.ends[side], self.peer(side)
        earlier = [0, *(seq for seq, _ in other.sent[-5:])]
        end.received = other.next if self.rng.random() < 0.7 else self.rng.choice(earlier)
        self.send(side, "A", end.next)

    def duplicate_ack(self, side: str) -> None:
        end, other = self.ends[side], self.peer(side)
        for _ in range(self.rng.randrange(1, 5)):
            base = self.talk.server_isn if side == "c" else self.talk.client_isn
            left = base + end.received + self.rng.randrange(2000)
            blocks = [(at, at + self.rng.randrange(1460))
                      for at in range(left, left + 3000 * self.rng.randrange(4), 3000)]
            self.send(side, "A", end.next, options=NOP + NOP + sack(*blocks) if blocks else b"")
        if self.rng.random() < 0.5 and other.sent:
            self.send("s" if side == "c" else "c", "A", end.received, self.rng.choice(SIZES))

    def repeat(self, side: str) -> None:
        end = self.ends[side]
        if end.sent:
            seq, size = self.rng.choice(end.sent[-6:])
            shift = self.rng.choice((0, 0, 0, 0, 1, -1, 5))
            size = max(0, size + self.rng.choice((0, 0, 0, 1, -1, 400)))
            self.send(side, self.rng.choice(("A", "PA")), seq + shift, size)

    def probe(self, side: str) -> None:
        """A keep-alive, or a byte against a closed window, and perhaps its answer."""
        end, other = self.ends[side], "s" if side == "c" else "c"
        if self.rng.random() < 0.5:
            self.ends[other].window = 0
            self.send(other, "A", self.ends[other].next)
            self.send(side, "A", end.next, 1)
        else:
            self.send(side, "A", end.next - 1, self.rng.randrange(2))
        if self.rng.random() < 0.7:
            self.send(other, "A", self.ends[other].next)

    def change_window(self, side: str) -> None:
        end = self.ends[side]
        outstanding = self.peer(side).next - end.received
        end.window = self.rng.choice((*WINDOWS, outstanding & 0xFFFF))
        self.send(side, "A", end.next)

    def jump(self, side: str) -> None:
        """Bytes the capture missed."""
        self.ends[side].next += self.rng.choice((1, 100, 1460, 70000))
        self.data(side)

    def ack_unseen(self, side: str) -> None:
        self.send(side, "A", self.ends[side].next, ack=self.peer(side).next + self.rng.choice((1, 500)))

    def odd(self, side: str) -> None:
        flags = self.rng.randrange(512)
        flags &= ~(0x100 if flags & 2 else 0)        # tshark shows accurate ECN (RFC 9768) as another field
        self.send(side, flags, self.ends[side].next + self.rng.choice((0, 0, 1, -5, 2**31)),
                  self.rng.choice((0, 3)), options=self.rng.choice((b"", *MPTCP, *ODD_OPTIONS)))

    def reset(self, side: str) -> None:
        end = self.ends[side]
        self.send(side, self.rng.choice(("R", "RA")), end.next, ack=self.rng.choice((0, end.received)))

    def new_connection(self, side: str) -> None:
        if self.rng.random() < 0.7:
            self.talk.client_isn, self.talk.server_isn = self.isn(), self.isn()
        for each in "cs":
            self.ends[each] = End(self.rng)
        self.open()

    def close(self) -> None:
        for side in self.rng.sample("cs", 2):
            self.send(side, "FA", self.ends[side].next)
            self.ends[side].next += 1
            self.peer(side).received = self.ends[side].next
        self.send("c", "A", self.ends["c"].next)


def random_capture(seed: int, conversations: int = 30, steps: int = 40) -> list[Frame]:
    """The frames of several random conversations, interleaved at random; each keeps its own order."""
    return interleaved(random.Random(seed), conversations, steps)


def interleaved(rng: random.Random, conversations: int, steps: int) -> list[Frame]:
    """``random_capture`` with the dice in one's own hand."""
    talks = [iter(Talk(rng, number).run(rng.randrange(steps))) for number in range(conversations)]
    frames: list[Frame] = []
    while talks:
        talk = rng.choice(talks[:6])
        frame = next(talk, None)
        if frame is None:
            talks.remove(talk)
        else:
            frames.append(frame)
    return frames
