"""The ideal observer of a connection: the RFC 9293 states of both ends from the captured segments alone.

A captured segment counts as sent and received at that moment.  Segments that were not captured are
assumed only where the captured ones prove them; where those leave open what an endpoint did, its
state is UNKNOWN.  docs/states.md gives the rules that this model spells out slowly.
"""
from __future__ import annotations

from dataclasses import dataclass, field

BEYOND = 8                        # ranges remembered behind a gap; what is forgotten counts as not arrived


@dataclass(frozen=True)
class Seen:
    """A captured segment; ``direction`` 0 is the stream's first sender, numbers are 32-bit."""

    time: int
    direction: int
    flags: str
    seq: int
    ack: int = 0
    length: int = 0

    def has(self, letter: str) -> bool:
        return letter in self.flags


@dataclass
class Side:
    """What the capture has shown of one endpoint; positions are unwrapped."""

    opened: str = ""               # its SYN: active, passive (with ACK), proven, before (the capture)
    syn: int | None = None
    syn_acked: bool = False
    synack_sent: bool = False
    spoke: bool = False            # sent something that only a synchronized endpoint sends
    edge: int | None = None        # everything below was captured or acknowledged
    high: int | None = None        # end of what was captured or proven
    next_known: bool = False       # ``high`` was SND.NXT at some moment of the capture
    tail_known: bool = False       # what lies just below ``high`` was captured, and was no FIN
    ack: int | None = None         # highest acknowledgement it sent
    fin: int | None = None
    fin_ack: int = 0               # acknowledgement on the first captured copy of its FIN
    fin_fresh: bool = False        # that copy was the first ever sent
    fin_acked: bool = False
    doubt: str = ""                # what it repeated although an answer was captured
    gone: str = ""
    expired: bool = False
    reset: bool = False
    ranges: list[tuple[int, int]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Certainly no FIN has been sent (when none was captured)."""
        return self.next_known and self.tail_known

    def near(self, number: int) -> int:
        """The position nearest to what is known that has this 32-bit number."""
        if self.high is None:
            return number
        return self.high + ((number - self.high + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)

    def begin(self, position: int, known: bool) -> None:
        self.edge = self.high = position
        self.next_known = self.tail_known = known

    def cover(self, start: int, end: int) -> None:
        self.ranges.append((start, end))
        self.receive(self.edge)

    def receive(self, position: int) -> None:
        """Everything below ``position`` has arrived, and what was captured behind it."""
        self.edge = max(self.edge, position)
        joined: list[tuple[int, int]] = []
        for low, high in sorted(self.ranges):
            if low <= self.edge:
                self.edge = max(self.edge, high)
            elif joined and low <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(high, joined[-1][1])
            else:
                joined.append((low, high))
        self.ranges = joined[:BEYOND]

    def prove(self, position: int) -> None:
        """``position`` is at most SND.NXT; what lies below and was not captured could hold a FIN."""
        if position > self.high:
            self.high, self.tail_known = position, False


class Observer:
    """``observe`` takes the segments of one stream; ``states`` are those of its first sender and the other."""

    def __init__(self, msl: int) -> None:
        self.msl = msl
        self.sides = (Side(), Side())
        self.closed_at = 0

    def observe(self, seg: Seen) -> tuple[str, str]:
        me, peer = self.sides[seg.direction], self.sides[1 - seg.direction]
        self.expire(seg.time)
        if seg.has("R"):
            if not seg.has("S"):
                self.reset(me, peer, seg)
        elif seg.has("S") and not seg.has("F"):
            self.synchronize(me, peer, seg)
        elif seg.has("A") and not seg.has("S"):
            self.revive(me)
            self.speak(me, peer, seg)
        return self.states()

    def states(self) -> tuple[str, str]:
        one, other = self.sides
        return state(one, other), state(other, one)

    def expire(self, now: int) -> None:
        for side, name in zip(self.sides, self.states(), strict=True):
            if name == "TIME_WAIT" and now - self.closed_at >= 2 * self.msl:
                side.gone, side.expired = "CLOSED", True

    def revive(self, me: Side) -> None:
        """An endpoint that still sends had not ended as it seemed."""
        if me.expired:
            me.gone, me.expired = "", False
        elif me.reset:
            me.gone, me.reset, me.doubt = "", False, "reset"

    # Opening

    def synchronize(self, me: Side, peer: Side, seg: Seen) -> None:
        if not seg.has("A"):
            again = me.gone and peer.gone
            if again:
                self.sides = [Side(), Side()]
                me, peer = self.sides[seg.direction], self.sides[1 - seg.direction]
            self.take_syn(me, seg, "active")
            if again:                  # another try, or one that crossed the reset; does the other end listen now?
                me.doubt = peer.doubt = "other"
            if me.syn_acked and not me.spoke:
                me.doubt = "syn"
            return
        if not peer.opened:
            peer.opened, peer.syn = "proven", seg.ack - 1
            peer.begin(seg.ack, True)
        ack = peer.near(seg.ack)
        if peer.opened == "before" or peer.gone or me.gone:
            return
        if peer.syn is not None and not peer.syn < ack <= peer.high:
            if not me.opened:
                me.doubt = "other"
            return
        if not self.take_syn(me, seg, "passive"):
            return
        me.doubt = "syn" if me.synack_sent and me.syn_acked and not me.spoke else ""
        me.synack_sent = True
        if not peer.spoke:
            peer.doubt = ""
        peer.syn_acked = True
        me.ack = max(ack, me.ack or ack)
        if not peer.spoke:
            peer.ranges.clear()    # data that came with the SYN and is not acknowledged was dropped
            peer.edge = ack

    def take_syn(self, me: Side, seg: Seen, kind: str) -> bool:
        """False when it is not the SYN of this connection."""
        if me.opened:
            if me.syn is not None and me.near(seg.seq) == me.syn:
                me.opened = kind if me.opened == "proven" else me.opened
                return True
            if kind == "active" or me.spoke or me.opened not in ("active", "passive"):
                return False
        me.__init__(opened=kind, syn=seg.seq)
        me.begin(seg.seq + 1, True)
        if seg.length:
            me.high += seg.length
            me.cover(seg.seq + 1, me.high)
        return True

    # Everything after the handshake

    def speak(self, me: Side, peer: Side, seg: Seen) -> None:
        if not self.synchronized(me, peer, seg):
            return
        if me.high is None:
            me.begin(seg.seq, False)
        if peer.high is None:
            peer.begin(seg.ack, False)
        ack = peer.near(seg.ack)
        fresh_ack = me.ack is not None and ack > me.ack
        start = me.near(seg.seq)
        end = start + seg.length
        high_before, sure_before, tail_before = me.high, me.next_known, me.tail_known
        old = me.edge > start and me.edge >= end + seg.has("F")
        if me.opened == "active" or seg.length or seg.has("F") or peer.syn is None or ack > peer.syn + 1:
            me.spoke = True
            if me.doubt == "syn":
                me.doubt = ""
        taken = peer.doubt != "syn" or peer.opened != "active"    # SYN-SENT drops whatever is no SYN
        if me.fin is None or end <= me.fin:
            self.advance(me, start, end, fresh_ack, taken)
        if seg.has("F"):
            self.finish(me, seg, end, ack, high_before, sure_before, tail_before, taken)
        self.acknowledge(me, peer, ack, old, seg.time)

    def synchronized(self, me: Side, peer: Side, seg: Seen) -> bool:
        """Takes in what a segment without SYN proves of the handshake; False if it is no part of it."""
        if not me.opened and not peer.opened:
            for side in self.sides:
                side.opened, side.syn_acked = "before", True
        elif not peer.opened:
            peer.opened, peer.syn = "proven", seg.ack - 1
            peer.begin(seg.ack, peer.doubt == "" and me.near(seg.seq) == me.syn + 1)
            peer.doubt, me.syn_acked = "", True
        elif not me.opened:
            if peer.syn is not None and not peer.syn < peer.near(seg.ack) <= peer.high:
                me.doubt = "other"
                if peer.near(seg.ack) > peer.high:
                    peer.doubt = "syn"     # it went on unseen, or this answers an older connection
                return False
            me.opened, me.doubt = "proven", ""
            me.syn_acked = peer.syn_acked = True
            peer.doubt = "syn"     # whether the unseen SYN+ACK has arrived shows when it answers
        return True

    def advance(self, me: Side, start: int, end: int, fresh_ack: bool, taken: bool) -> None:
        if start == end:
            me.prove(start)
            if start == me.high and fresh_ack:
                me.next_known = True
        else:
            if taken:
                me.cover(start, end)
            if end >= me.high:
                me.high, me.tail_known = end, True

    def finish(self, me: Side, seg: Seen, fin: int, ack: int, high: int, sure: bool, tail: bool, taken: bool) -> None:
        if me.fin is None:
            if fin < high - 1 or (fin == high - 1 and tail):
                return
            me.fin, me.fin_ack, me.fin_fresh = fin, ack, sure and fin >= high
            me.high = max(me.high, fin + 1)
        elif fin != me.fin:
            return
        elif me.fin_acked:
            me.doubt = "fin"
        if taken:
            me.cover(fin, fin + 1)
        self.closed_at = seg.time

    def acknowledge(self, me: Side, peer: Side, ack: int, old: bool, now: int) -> None:
        if peer.fin is not None and ack > peer.fin + 1:
            return
        if peer.syn is not None and ack <= peer.syn:
            return
        peer.prove(ack)
        peer.receive(ack)
        me.ack = ack if me.ack is None else max(me.ack, ack)
        peer.syn_acked = True
        if peer.doubt == "syn" and peer.synack_sent:
            peer.doubt = ""
        if peer.fin is not None and ack == peer.fin + 1:
            self.acknowledge_fin(peer, old, now)

    def acknowledge_fin(self, peer: Side, old: bool, now: int) -> None:
        if old and not peer.fin_acked:
            peer.doubt = peer.doubt or "fin"    # section 3.10.7.4 drops it unread, many endpoints do not
            return
        if not peer.fin_acked:
            self.closed_at = now
        peer.fin_acked = True
        if peer.doubt == "fin":
            peer.doubt = ""

    # Resets

    def reset(self, me: Side, peer: Side, seg: Seen) -> None:
        if peer.opened and not me.opened and not peer.syn_acked:
            if seg.has("A") and peer.syn is not None and peer.syn < peer.near(seg.ack) <= peer.high:
                self.leave(me, peer)
            else:
                me.doubt = "other"
                peer.doubt = peer.doubt or "syn"
            return
        if me.opened and not peer.opened and peer.doubt:
            return                 # SYN-SENT answers an unacceptable acknowledgement (section 3.10.7.3)
        if seg.has("A") and peer.opened == "active" and not peer.syn_acked and not peer.gone:
            peer.doubt = "reset"   # crossing SYNs: SYN-SENT takes this reset, SYN-RECEIVED does not
        if me.opened == "active" and not me.syn_acked and me.near(seg.seq) != me.high:
            me.doubt = "other"     # a refusal sent before its own SYN
            peer.doubt = peer.doubt or "reset"
            return
        exact = me.high is not None and me.near(seg.seq) == me.edge == me.high
        beyond = me.high is None or me.near(seg.seq) >= me.edge
        me.gone, me.reset, me.expired = me.gone or "CLOSED", True, False
        if peer.gone and not peer.reset:
            return
        if exact:
            self.end_by_reset(me, peer, seg.has("A"))
        elif beyond and not peer.gone:
            peer.doubt = "reset"

    def leave(self, me: Side, peer: Side) -> None:
        me.gone = peer.gone = "CLOSED"
        me.reset = True

    def end_by_reset(self, me: Side, peer: Side, synchronized: bool) -> None:
        if peer.opened == "passive" and (peer.doubt == "syn" or (peer.doubt == "reset" and not peer.syn_acked)):
            return
        if state(peer, me) == "SYN_RECEIVED" and peer.opened in ("", "passive"):
            if synchronized:
                peer.doubt = "reset"       # who resets with an ACK has answered the SYN+ACK before, unseen
            else:
                peer.gone = "LISTEN"
        else:
            peer.gone = peer.gone or "CLOSED"


def state(me: Side, peer: Side) -> str:
    """The state of ``me`` (RFC 9293 figure 5) from what is known of both."""
    if me.gone:
        return me.gone
    if me.doubt:
        return "UNKNOWN"
    if not me.opened and not peer.opened:
        return "UNKNOWN"
    if not peer.opened:
        return "SYN_SENT"
    if me.fin is None and not (me.opened and me.syn_acked):
        return "SYN_RECEIVED"
    return closing_state(me, peer)


def closing_state(me: Side, peer: Side) -> str:
    if (me.fin is None and not me.whole) or (peer.fin is None and not peer.whole):
        return "UNKNOWN"
    if peer.fin is not None and peer.edge <= peer.fin:
        return "UNKNOWN"           # a FIN beyond a gap: received only when the gap is filled
    if me.fin is None:
        return "ESTABLISHED" if peer.fin is None else "CLOSE_WAIT"
    if peer.fin is None:
        return "FIN_WAIT_2" if me.fin_acked else "FIN_WAIT_1"
    if me.fin_ack <= peer.fin:
        return "TIME_WAIT" if me.fin_acked else "CLOSING"
    if not me.fin_fresh:
        return "UNKNOWN"
    return "CLOSED" if me.fin_acked else "LAST_ACK"
