"""A slow, obvious model of the analysis: the rules of SEMANTICS in their own words and order, one segment at a time."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from reference.flows import ACK, FIN, M32, PSH, RST, SYN, Place
from tcpcore.flags import AnalysisPresent as Has
from tcpcore.flags import Damage, Finding, Present

MS = 1_000_000
ALL_ONES = M32 - 1
IN_FLAGS = Finding.REUSED_PORTS * 2 - 1          # section A and reused_ports (CM-6)


def signed(x: int) -> int:
    return (x + 2**31) % M32 - 2**31


def before(x: int, y: int) -> bool:              # CM-1
    return signed(x - y) < 0


def after(x: int, y: int) -> bool:
    return signed(y - x) < 0


def not_after(x: int, y: int) -> bool:
    return signed(x - y) <= 0


def elapsed(now: int, since: int) -> int:
    """Unsigned (RT-8)."""
    return (now - since) % 2**64


@dataclass
class Sent:
    """A segment in flight."""

    frame: int
    seq: int
    next: int
    time: int
    again: bool                                  # repeats earlier numbers: no round trip can be told (Karn)


@dataclass
class Side:                                      # CM-3
    scale: int = -1
    window: int = M32 - 1
    syn_window: bool = False
    expected: int = 0
    exp_frame: int = 0
    exp_time: int = 0
    contiguous: int = 0
    last_ack: int = 0
    last_ack_time: int = 0
    dup_count: int = 0
    dup_frame: int = 0
    last_flags: int = 0
    segments: list[Sent] = field(default_factory=list)
    sack: list[int] = field(default_factory=list)
    flight_ok: bool = True
    push_count: int = 0
    push_seen: bool = False
    closer: bool = False
    mptcp: int = 0
    round_trips: list[int] = field(default_factory=list)     # of what it sent
    max_in_flight: int = 0


@dataclass
class Talk:                                      # CM-4
    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    syn_time: int = 0
    irtt: int = 0
    completeness: int = 0
    tfo_data: bool = False
    mptcp: int = 0


COLUMNS = ("completeness", "window_size", "window_scale", "duplicate_ack_num", "duplicate_ack_frame", "acks_frame",
           "ack_rtt", "initial_rtt", "bytes_in_flight", "push_bytes_sent", "rto", "rto_frame", "findings", "present")


class Turn:
    """One segment and what the rules say of it."""

    def __init__(self, talk: Talk, row: Any, place: Place) -> None:
        self.talk, self.row, self.place = talk, row, place
        self.fwd, self.rev = talk.sides[place.direction], talk.sides[1 - place.direction]
        self.out = dict.fromkeys(COLUMNS, 0)
        self.record = False
        self.round_trip: int | None = None
        self.seq, self.ack, self.len = row.seq_raw, row.ack_raw, row.payload_len
        self.syn, self.fin, self.rst = bool(row.flags & SYN), bool(row.flags & FIN), bool(row.flags & RST)
        self.has_ack = bool(row.flags & ACK)
        self.ordinary = not (self.syn or self.fin or self.rst)
        self.base = place.stream.base[place.direction] or 0
        self.now, self.frame = row.time_ns, row.frame

    def put(self, bit: int, **columns: int) -> None:
        self.out["present"] |= bit
        self.out.update(columns)

    def found(self, finding: int) -> bool:
        return bool(self.out["findings"] & finding)

    def find(self, finding: int) -> None:
        self.out["findings"] |= finding

    # -- section ORD

    def run(self) -> None:
        whole = is_whole(self.row, self.place)
        self.streams()                                                         # (1)
        self.put(Has.HAS_COMPLETENESS, completeness=self.talk.completeness)    # (2)
        self.fwd.sack = []                                                     # (3)
        if self.row.present & Present.HAS_LEN:                                 # (5)
            self.sequence()
        if self.row.damage & Damage.BOGUS_HEADER_LENGTH:                       # (6)
            self.hide(Has.HAS_COMPLETENESS)
            return
        self.show_window()
        self.complete()                                                        # (7)
        self.handshake()                                                       # (8) to (11)
        if self.row.present & Present.HAS_CHECKSUM:                            # (12)
            self.options()                                                     # (14)
        if not whole:
            self.hide(Has.HAS_COMPLETENESS | Has.HAS_WINDOW_SIZE | Has.HAS_WINDOW_SCALE)
            return
        if self.record or self.out["findings"] & IN_FLAGS:                     # CM-6
            self.put(Has.HAS_RECORD | Has.HAS_FLAGS * bool(self.out["findings"] & IN_FLAGS))
            if self.talk.irtt:                                                 # AK-6
                self.put(Has.HAS_INITIAL_RTT, initial_rtt=self.talk.irtt)
        if self.round_trip is not None:
            self.rev.round_trips.append(self.round_trip)
        self.fwd.max_in_flight = max(self.fwd.max_in_flight, self.out["bytes_in_flight"])
        if self.syn:                                                           # (16)
            self.settle_scales()

    def hide(self, keep: int) -> None:
        kept = ("completeness", "window_size", "window_scale", "findings", "present")
        self.out.update({name: 0 for name in COLUMNS if name not in kept})
        self.out["findings"] &= ~IN_FLAGS
        self.out["present"] &= keep

    def streams(self) -> None:
        if self.place.reused_ports:
            self.find(Finding.REUSED_PORTS)
            if self.place.created:
                self.talk.completeness = 1                                     # CP-4
        if self.place.syn_again:
            self.fwd.expected = self.fwd.contiguous                            # ST-5
            self.record = True

    # -- section A

    def sequence(self) -> None:
        fwd, rev = self.fwd, self.rev
        if self.has_ack:
            rev.flight_ok = True
        if self.len == 1 and self.seq == fwd.expected and rev.window == 0:
            self.find(Finding.ZERO_WINDOW_PROBE)
        else:
            self.windows()
        if self.ack != fwd.last_ack:
            fwd.dup_frame, fwd.dup_count = self.frame, 0
        if self.has_ack and rev.contiguous and after(self.ack, rev.contiguous):
            self.unseen_acknowledged()
        again = fwd.expected != 0 and before(self.seq, fwd.expected)
        if self.len or self.syn or self.fin:
            self.repeated()
        end = (self.seq + self.len) % M32
        if (self.len or self.syn or self.fin) and len(fwd.segments) < 10_000:
            end = (end + (self.syn or self.fin)) % M32
            fwd.segments.append(Sent(self.frame, self.seq, end, self.now, again))
        if not self.found(Finding.ZERO_WINDOW_PROBE):
            if fwd.expected == 0 or after(end, fwd.expected):                  # EX-2
                fwd.expected, fwd.exp_frame, fwd.exp_time = end, self.frame, self.now
            if fwd.contiguous == 0 or self.seq == fwd.contiguous:              # EX-3
                fwd.contiguous = fwd.expected
        fwd.window, fwd.last_ack, fwd.last_ack_time = self.row.window, self.ack, self.now
        fwd.last_flags, fwd.mptcp = self.out["findings"], self.talk.mptcp
        self.acknowledge()
        if self.len and fwd.segments and fwd.flight_ok:                        # BF-1
            self.bytes_in_flight()

    def windows(self) -> None:
        fwd, rev, window = self.fwd, self.rev, self.row.window
        if window == 0 and self.ordinary:
            self.find(Finding.ZERO_WINDOW)
        if fwd.expected and after(self.seq, fwd.expected) and not self.rst:
            self.find(Finding.LOST_SEGMENT)
            fwd.flight_ok = False
        if self.len <= 1 and self.seq == (fwd.expected - 1) % M32 and self.ordinary:
            self.find(Finding.KEEP_ALIVE)
        nothing_new = self.len == 0 and self.seq == fwd.expected and self.ack == fwd.last_ack and self.ordinary
        if nothing_new and window not in (0, fwd.window):
            self.find(Finding.WINDOW_UPDATE)
        if self.len and rev.scale != -1 and self.ordinary:
            shift = 0 if rev.syn_window or rev.scale == -2 else rev.scale
            if (self.seq + self.len - rev.last_ack - (rev.window << shift)) % M32 == 0:
                self.find(Finding.WINDOW_FULL)
        if not nothing_new or window != fwd.window:
            return
        if window and rev.last_flags & Finding.KEEP_ALIVE:
            self.find(Finding.KEEP_ALIVE_ACK)
        elif window == 0 and rev.last_flags & Finding.ZERO_WINDOW_PROBE:
            self.find(Finding.ZERO_WINDOW_PROBE_ACK)
        elif window and self.talk.mptcp == fwd.mptcp:                          # A-9, DA-4
            fwd.dup_count = 1 if fwd.dup_count == ALL_ONES else fwd.dup_count + 1
            self.find(Finding.DUPLICATE_ACK)
            self.out.update(duplicate_ack_num=fwd.dup_count, duplicate_ack_frame=fwd.dup_frame)

    def unseen_acknowledged(self) -> None:
        rev = self.rev
        self.record = True
        if before(rev.contiguous, rev.expected):                               # AL-1
            rev.contiguous = rev.expected
            self.find(Finding.ACK_LOST_SEGMENT)
        else:                                                                  # AL-2
            if rev.dup_count == 0:
                self.find(Finding.ACK_LOST_SEGMENT)
            rev.dup_count = ALL_ONES

    def repeated(self) -> None:
        fwd, rev, end = self.fwd, self.rev, (self.seq + self.len) % M32
        if self.found(Finding.KEEP_ALIVE):                                     # RT-1
            return
        old = fwd.expected != 0 and before(self.seq, fwd.expected)
        if self.len > 1 and self.seq == (fwd.expected - 1) % M32:              # RT-2
            old = False
        limit = self.talk.irtt % 2**64 or 3 * MS
        if self.len and rev.last_ack and not_after(end, rev.last_ack):         # RT-3
            self.find(Finding.RETRANSMISSION | Finding.SPURIOUS_RETRANSMISSION)
        elif old and rev.dup_count >= 2 and rev.last_ack == self.seq and elapsed(self.now, rev.last_ack_time) < 20 * MS:
            self.find(Finding.RETRANSMISSION | Finding.FAST_RETRANSMISSION)    # RT-4
        elif (old and elapsed(self.now, fwd.exp_time) < limit
              and (end + (self.syn or self.fin)) % M32 != fwd.expected):       # RT-5
            self.find(Finding.OUT_OF_ORDER)
        elif old:                                                              # RT-6
            self.find(Finding.RETRANSMISSION)
            since, frame = fwd.exp_time, fwd.exp_frame                         # RT-7
            if fwd.segments:
                since, frame = fwd.segments[0].time, fwd.segments[0].frame
            if self.now != since:
                self.put(Has.HAS_RTO, rto=self.now - since, rto_frame=frame)

    def acknowledge(self) -> None:
        kept: list[Sent] = []
        removed: list[Sent] = []
        for sent in self.rev.segments:
            if sent.next == self.ack:                                          # AK-1
                removed.append(sent)
            elif after(self.ack, sent.seq) and not_after(self.ack, sent.next):         # AK-2
                sent.seq = self.ack
                kept.append(sent)
            elif after(sent.next, self.ack):
                kept.append(sent)
            else:
                removed.append(sent)
        self.rev.segments = kept
        exact = next((sent for sent in removed if sent.next == self.ack), None)
        if exact:
            self.record = True
            rtt = self.now - exact.time
            self.put(Has.HAS_ACKS_FRAME | Has.HAS_ACK_RTT * (rtt != 0), acks_frame=exact.frame, ack_rtt=rtt)   # AK-3
            if rtt >= 0 and self.now and not any(sent.again for sent in removed):           # Karn's rule
                self.round_trip = rtt

    def bytes_in_flight(self) -> None:
        fwd = self.fwd
        self.record = True
        largest = max((sent.next - self.base) % M32 for sent in fwd.segments)
        smallest = min((sent.seq - self.base) % M32 for sent in fwd.segments)
        value = (largest - smallest - sum(self.rev.sack)) % M32                # BF-2, BF-4
        fwd.push_count = self.len if fwd.push_seen else fwd.push_count + self.len      # PB-1
        fwd.push_seen = bool(self.row.flags & PSH)
        shown = value - (self.syn or self.fin)                                 # BF-3
        if 0 < value < 2_000_000_000 and shown:                                # BF-6
            self.put(Has.HAS_BYTES_IN_FLIGHT | Has.HAS_PUSH_BYTES, bytes_in_flight=shown,
                     push_bytes_sent=fwd.push_count)

    # -- the rest

    def show_window(self) -> None:
        scale, window = self.fwd.scale, self.row.window                        # WN-1
        self.put(Has.HAS_WINDOW_SIZE, window_size=window)
        if self.syn:
            return
        self.put(Has.HAS_WINDOW_SCALE, window_scale=2**scale if scale >= 0 else scale)
        if scale >= 0 and self.row.present & Present.HAS_LEN:                  # RL-7
            self.out["window_size"] = window << scale

    def complete(self) -> None:
        flags = self.row.flags
        if self.place.created and not self.place.reused_ports:                 # CP-2
            pure = flags & (SYN | ACK) == SYN
            self.talk.completeness = pure * (1 | 8 * (self.len > 0))
            return
        if flags & (SYN | ACK) == SYN | ACK:                                   # CP-3
            self.talk.completeness |= 2
        elif self.has_ack:
            self.talk.completeness |= 8 if self.len else 4
        self.talk.completeness |= 16 * (self.fin and self.has_ack) | 32 * self.rst

    def handshake(self) -> None:
        talk, fwd, rev = self.talk, self.fwd, self.rev
        if self.syn and self.has_ack:                                          # TF-2
            if self.place.ack > 1:
                self.find(Finding.TFO_ACK)
            elif talk.tfo_data:
                self.find(Finding.TFO_IGNORED)
        elif self.syn:
            talk.syn_time = self.now
        fwd.syn_window = self.syn or (fwd.syn_window and not self.has_ack)     # (9), (11)
        if self.fin:                                                           # FR-1
            self.find(Finding.FIN_PASSIVE if rev.closer else Finding.FIN_ACTIVE)
            fwd.closer = fwd.closer or not rev.closer
        if self.has_ack and not self.syn and talk.syn_time and not talk.irtt:  # AK-5
            talk.irtt = self.now - talk.syn_time

    def options(self) -> None:
        row = self.row
        if row.present & Present.HAS_WSCALE:                                   # WN-2
            self.fwd.scale = min(row.wscale, 14)
        blocks = ((row.sack_le0, row.sack_re0), (row.sack_le1, row.sack_re1), (row.sack_le2, row.sack_re2))
        self.fwd.sack = [right - left for left, right in blocks[:row.sack_count]]
        if row.present & Present.HAS_TFO_COOKIE and self.syn and not self.has_ack:     # TF-1
            self.find(Finding.TFO_SYN)
            self.talk.tfo_data = self.talk.tfo_data or self.len > 0
        self.talk.mptcp |= row.mptcp                                           # DA-4

    def settle_scales(self) -> None:                                           # WN-4
        if self.fwd.scale == -1:
            self.fwd.scale = self.rev.scale = -2
        elif self.has_ack and self.rev.scale == -2:
            self.fwd.scale = -2


def is_whole(row: Any, place: Place) -> bool:
    """Does the frame reach step 15?"""
    if not row.present & Present.HAS_CHECKSUM or row.damage & Damage.OPTIONS_CUT:      # LN-3
        return False
    if row.damage & Damage.SACK_BROKEN and place.ack <= 2**31:                 # LN-9
        return False
    return not row.damage & Damage.MPTCP_BROKEN                                # LN-9
