"""A slow, obvious model of the table of streams: a dict, and rules ST, RL and TM of SEMANTICS in their own words."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tcpcore.flags import Damage, Present

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
M32 = 2**32


@dataclass
class Stream:
    number: int
    ends: tuple[Any, Any]                        # the sender of the first frame, and the other
    first_ns: int
    previous_ns: int
    first_frame: int
    heard_ns: int                                 # the clock at its latest segment
    base: list[int | None] = field(default_factory=lambda: [None, None])
    packets: list[int] = field(default_factory=lambda: [0, 0])
    payload_bytes: list[int] = field(default_factory=lambda: [0, 0])


@dataclass
class Place:
    """What is known of a segment once its stream is."""

    stream: Stream
    direction: int
    created: bool
    reused_ports: bool
    syn_again: bool                              # ST-4
    time_relative: int
    time_delta: int
    seq: int
    ack: int
    next: int


class Streams:
    """``idle_ns``: silence that ends a stream, by a clock that never goes back; 0: none does."""

    def __init__(self, idle_ns: int = 0) -> None:
        self.idle_ns = idle_ns
        self.clock = 0
        self.all: list[Stream] = []
        self.by_ends: dict[frozenset[Any], Stream] = {}

    def place(self, row: Any) -> Place | None:
        """``row``: the decoded columns of a segment, as attributes."""
        if not row.present & Present.HAS_SEQ:                                  # LN-3, ST-9
            return None
        ends = ((row.ip_version, row.src_hi, row.src_lo, row.src_port),
                (row.ip_version, row.dst_hi, row.dst_lo, row.dst_port))
        stream = self.by_ends.get(frozenset(ends))                             # ST-1, ST-7
        created = reused = again = False
        self.clock = max(self.clock, row.time_ns)
        if stream and self.is_silent(stream):
            stream = None
        if stream and row.flags & SYN:
            base = stream.base[self.direction(stream, ends)]
            if base is not None and base != row.seq_raw:
                reused = True
                if row.flags & ACK:                                            # ST-6
                    stream.base[self.direction(stream, ends)] = row.seq_raw
                else:                                                          # ST-3
                    stream = None
            elif base is not None:
                again = not row.flags & ACK                                    # ST-4
        if stream is None:
            stream = Stream(len(self.all), ends, row.time_ns, row.time_ns, row.frame, self.clock)
            self.all.append(stream)
            self.by_ends[frozenset(ends)] = stream
            created = True
        place = Place(stream, self.direction(stream, ends), created, reused, again,
                      row.time_ns - stream.first_ns, row.time_ns - stream.previous_ns,     # TM-1, TM-2
                      row.seq_raw, row.ack_raw, 0)
        stream.previous_ns, stream.heard_ns = row.time_ns, self.clock
        if row.present & Present.HAS_LEN:
            self.number(row, place)
        if not row.damage & Damage.QUOTED:
            stream.packets[place.direction] += 1
            stream.payload_bytes[place.direction] += row.payload_len
        return place

    def forget(self, number: int) -> None:
        """The stream has given up its place: what comes of it later is another one."""
        stream = self.all[number]
        if self.by_ends.get(frozenset(stream.ends)) is stream:
            del self.by_ends[frozenset(stream.ends)]

    def is_silent(self, stream: Stream) -> bool:
        """Whether the time-out has ended it by now."""
        return 0 < self.idle_ns < self.clock - stream.heard_ns

    @staticmethod
    def direction(stream: Stream, ends: tuple[Any, Any]) -> int:
        return 0 if stream.ends[0] == ends[0] else 1                           # ST-2

    @staticmethod
    def number(row: Any, place: Place) -> None:
        base, mine, other = place.stream.base, place.direction, 1 - place.direction
        if base[mine] is None:                                                 # RL-2
            base[mine] = row.seq_raw if row.flags & SYN else (row.seq_raw - 1) % M32
        if base[other] is None and row.flags & ACK:                            # RL-3
            base[other] = (row.ack_raw - 1) % M32
        place.seq = (row.seq_raw - base[mine]) % M32                           # RL-1
        if row.flags & ACK:                                                    # RL-5
            place.ack = (row.ack_raw - base[other]) % M32
        place.next = (place.seq + row.payload_len + bool(row.flags & (SYN | FIN))) % M32   # RL-6
