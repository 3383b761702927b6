"""One TCP endpoint after RFC 9293 section 3.10: its states, and the facts about it that name them.

Sequence numbers are unbounded integers here; who writes them on a wire takes them modulo 2^32.
"""
from __future__ import annotations

from dataclasses import dataclass, field, replace

WINDOW = 1 << 16
MSS = 100


@dataclass(frozen=True)
class Segment:
    """``flags`` in the letters S, A, F, R; ``ack`` counts only with A."""

    flags: str
    seq: int
    ack: int = 0
    length: int = 0

    @property
    def end(self) -> int:
        return self.seq + self.length + ("S" in self.flags) + ("F" in self.flags)


@dataclass(frozen=True)
class Facts:
    """What has happened to an endpoint in one connection; ``gone`` is the state after its end."""

    syn_sent: bool = False
    syn_received: bool = False
    syn_acked: bool = False
    fin_sent: bool = False
    fin_received: bool = False
    fin_acked: bool = False
    passive_close: bool = False    # the peer's FIN had arrived when the own FIN was first sent
    gone: str = ""

    def state(self, before: str) -> str:
        """The state these facts make (RFC 9293 figure 5); ``before`` is the one without a connection."""
        if self.gone:
            return self.gone
        if self.fin_sent and self.fin_received:
            if self.passive_close:
                return "CLOSED" if self.fin_acked else "LAST_ACK"
            return "TIME_WAIT" if self.fin_acked else "CLOSING"
        if self.fin_sent:
            return "FIN_WAIT_2" if self.fin_acked else "FIN_WAIT_1"
        if self.fin_received:
            return "CLOSE_WAIT"
        if self.syn_received:
            return "ESTABLISHED" if self.syn_sent and self.syn_acked else "SYN_RECEIVED"
        return "SYN_SENT" if self.syn_sent else before


@dataclass
class Endpoint:
    """Segments to send are appended to ``out``; ``log`` holds the facts after every event."""

    iss: int
    listens: bool = False
    fast_open: bool = False        # data may travel with the SYN and before the handshake is complete
    closes_on_fin: bool = False    # answers a FIN with its own at once
    out: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.before = self.state = "LISTEN" if self.listens else "CLOSED"
        self.facts = Facts()
        self.log = [self.facts]
        self.una = self.nxt = self.iss
        self.rcv = self.irs = 0
        self.queued = self.waits = 0    # waits: how often TIME-WAIT began, for its timer
        self.closing = self.ack_due = False
        self.unacked: list[Segment] = []
        self.held: list[Segment] = []

    def _note(self, **facts) -> None:
        self.facts = replace(self.facts, **facts)

    def _enter(self, state: str) -> None:
        self.state = state
        self.waits += state == "TIME_WAIT"

    def done(self) -> None:
        """Ends an event: the facts must name the state the endpoint is in."""
        assert self.facts.state(self.before) == self.state, (self.facts, self.state)
        self.log.append(self.facts)

    # What the application asks for (section 3.10.1 to 3.10.5)

    def connect(self) -> None:
        if self.state != "CLOSED" or self.facts != Facts():
            return
        length, self.queued = (min(self.queued, MSS), max(0, self.queued - MSS)) if self.fast_open else (0, self.queued)
        self._note(syn_sent=True)
        self._enter("SYN_SENT")
        self._transmit("S", length)

    def write(self, size: int) -> None:
        if not self.closing and self.state not in ("TIME_WAIT", "LISTEN"):
            self.queued += size
            self._push()

    def close(self) -> None:
        if self.state in ("SYN_RECEIVED", "ESTABLISHED", "CLOSE_WAIT"):
            self.closing = True
            self._push()

    def abort(self) -> None:
        if self.state in ("SYN_RECEIVED", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "CLOSE_WAIT"):
            self.out.append(Segment("RA", self.nxt, self.rcv))
            self._leave("CLOSED")

    # Time

    def retransmit(self, everything: bool) -> None:
        for segment in self.unacked if everything else self.unacked[:1]:
            flags = segment.flags
            if self.facts.syn_received and "A" not in flags:
                flags += "A"
            self.out.append(replace(segment, flags=flags, ack=self.rcv if "A" in flags else 0))

    def acknowledge_late(self) -> None:
        if self.ack_due and not self.facts.gone:
            self._ack()

    def time_wait_over(self) -> None:
        if self.state == "TIME_WAIT":
            self._leave("CLOSED")

    # Arriving segments (section 3.10.7)

    def receive(self, seg: Segment) -> None:
        if self.state == "CLOSED":
            self._refuse(seg)
        elif self.state == "LISTEN":
            self._in_listen(seg)
        elif self.state == "SYN_SENT":
            self._in_syn_sent(seg)
        else:
            self._in_other(seg)

    def _refuse(self, seg: Segment) -> None:
        if "R" not in seg.flags:
            self.out.append(Segment("R", seg.ack) if "A" in seg.flags else Segment("RA", 0, seg.end))

    def _in_listen(self, seg: Segment) -> None:
        if "R" in seg.flags:
            return
        if "A" in seg.flags:
            self._refuse(seg)
        elif "S" in seg.flags:
            self._take_syn(seg)
            self.rcv += seg.length if self.fast_open else 0
            self._note(syn_sent=True)
            self._enter("SYN_RECEIVED")
            self._transmit("SA")
            self._push()

    def _take_syn(self, seg: Segment) -> None:
        self.irs, self.rcv = seg.seq, seg.seq + 1
        self._note(syn_received=True)

    def _in_syn_sent(self, seg: Segment) -> None:
        acceptable = "A" in seg.flags and self.iss < seg.ack <= self.nxt
        if "A" in seg.flags and not acceptable:
            self._refuse(seg)
        elif "R" in seg.flags:
            if acceptable:
                self._leave("CLOSED")
        elif "S" in seg.flags:
            self._take_syn(seg)
            if acceptable:
                self._acked(seg.ack)
                self._enter("ESTABLISHED")
                self.retransmit(True)
                self._ack_or_push()
            else:
                self._enter("SYN_RECEIVED")
                self.unacked[0] = replace(self.unacked[0], flags="SA")
                self.retransmit(False)

    def _in_other(self, seg: Segment) -> None:
        crossing = self.state == "SYN_RECEIVED" and "S" in seg.flags and "A" in seg.flags and seg.seq == self.irs
        if not crossing and not self._in_window(seg):
            if "R" not in seg.flags:
                self.waits += self.state == "TIME_WAIT" and "F" in seg.flags
                self._ack()
            return
        if "R" in seg.flags:
            if seg.seq != self.rcv:
                self._ack()
            else:
                self._leave("LISTEN" if self.state == "SYN_RECEIVED" and self.listens else "CLOSED")
            return
        if "S" in seg.flags and not crossing:
            self._ack()
            return
        if "A" in seg.flags and self._acceptable_ack(seg) and self._take_ack(seg.ack):
            self._take_text(seg)
            self._ack_or_push()

    def _in_window(self, seg: Segment) -> bool:
        if seg.end == seg.seq:
            return self.rcv <= seg.seq < self.rcv + WINDOW
        return seg.seq < self.rcv + WINDOW and seg.end > self.rcv

    def _acceptable_ack(self, seg: Segment) -> bool:
        if self.state == "SYN_RECEIVED" and not self.iss < seg.ack <= self.nxt:
            self._refuse(seg)
            return False
        if seg.ack > self.nxt:
            self._ack()
            return False
        return True

    def _take_ack(self, ack: int) -> bool:
        """False when the acknowledgement ended the connection."""
        self._acked(ack)
        if self.state == "SYN_RECEIVED":
            self._enter("ESTABLISHED")
        if self.facts.fin_acked:
            if self.state == "FIN_WAIT_1":
                self._enter("FIN_WAIT_2")
            elif self.state == "CLOSING":
                self._enter("TIME_WAIT")
            elif self.state == "LAST_ACK":
                self._enter("CLOSED")
                self.unacked.clear()
                return False
        return True

    def _acked(self, ack: int) -> None:
        self.una = max(self.una, ack)
        left = [seg for seg in self.unacked if seg.end > self.una]
        # Data that came with a SYN and was not taken goes again without it (RFC 7413 section 4.2.2).
        self.unacked = [replace(seg, flags="A", seq=seg.seq + 1) if seg.flags == "S" and seg.seq < self.una else seg
                        for seg in left]
        if self.una > self.iss:
            self._note(syn_acked=True)
        if self.facts.fin_sent and self.una == self.nxt:
            self._note(fin_acked=True)

    def _take_text(self, seg: Segment) -> None:
        if seg.end == seg.seq or "S" in seg.flags:
            return
        self.ack_due = True
        self.held.append(seg)
        while fitting := [held for held in self.held if held.seq <= self.rcv]:
            self.held.remove(fitting[0])
            if fitting[0].end > self.rcv:
                self.rcv = fitting[0].end
                if "F" in fitting[0].flags:
                    self._take_fin()

    def _take_fin(self) -> None:
        self._note(fin_received=True)
        self._enter({"ESTABLISHED": "CLOSE_WAIT", "FIN_WAIT_1": "CLOSING", "FIN_WAIT_2": "TIME_WAIT"}[self.state])
        self.closing = self.closing or self.closes_on_fin

    # Sending

    def _transmit(self, flags: str, length: int = 0) -> None:
        seg = Segment(flags, self.nxt, self.rcv if "A" in flags else 0, length)
        self.nxt = seg.end
        self.ack_due = False
        self.unacked.append(seg)
        self.out.append(seg)

    def _push(self) -> None:
        early = self.fast_open and self.state == "SYN_RECEIVED"
        while self.queued and (early or self.state in ("ESTABLISHED", "CLOSE_WAIT")):
            length = min(self.queued, MSS)
            self.queued -= length
            self._transmit("A", length)
        waits = self.state == "SYN_RECEIVED" and not self.listens      # crossing SYNs: first the handshake
        if self.closing and not self.queued and not waits and self.state in ("SYN_RECEIVED", "ESTABLISHED",
                                                                             "CLOSE_WAIT"):
            self._note(fin_sent=True, passive_close=self.facts.fin_received)
            self._enter("LAST_ACK" if self.state == "CLOSE_WAIT" else "FIN_WAIT_1")
            self._transmit("FA")

    def _ack_or_push(self) -> None:
        """What is sent carries the acknowledgement; the handshake's last one is never delayed."""
        handshake = self.state == "ESTABLISHED" and self.una == self.iss + 1 and not self.listens
        self.ack_due = self.ack_due or handshake
        self._push()
        if self.ack_due and (handshake or self.held or self.facts.fin_received):
            self._ack()

    def _ack(self) -> None:
        self.ack_due = False
        self.out.append(Segment("A", self.nxt, self.rcv))

    def _leave(self, state: str) -> None:
        self._note(gone=state)
        self._enter(state)
        self.unacked.clear()
        self.queued = 0
