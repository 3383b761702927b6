"""A connection as a ladder: its segments in order, with what each did, and long data phases folded."""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from tcpcore.flags import Damage, Finding, Present, SegmentKind, TcpFlag
from tcpkit.columns import ENDS
from tcpkit.connection import read_connection
from tcpkit.endings import STATE_WORDS
from tcpkit.text import counted, duration_text, endpoint
from tcpkit.values import Array, Rows, column_values
from tcpkit.verdict_columns import CAUSE_WORDS, KIND_WORDS, VERDICT_TEXT

if TYPE_CHECKING:
    from tcpkit.capture import Capture

SHOWN = 120                      # segments of a long connection that are drawn, from its two ends
JUDGED = 24                      # of them, what was not simply new; beyond these they are folded too
REMARKABLE = 16                  # likewise, what the analysis found
AROUND = 1                       # segments shown beside one that stands out
SHORTEST_FOLD = 4
FLAG_NAMES = (("SYN", TcpFlag.SYN), ("FIN", TcpFlag.FIN), ("RST", TcpFlag.RST), ("PSH", TcpFlag.PSH),
              ("ACK", TcpFlag.ACK), ("URG", TcpFlag.URG))
# What the analysis finds, apart from what its verdicts say better or the arrows show anyway.
FINDINGS = (
    (Finding.LOST_SEGMENT, "earlier segment not captured"),
    (Finding.ACK_LOST_SEGMENT, "acknowledges what was not captured"),
    (Finding.DUPLICATE_ACK, "duplicate ACK"), (Finding.ZERO_WINDOW, "zero window"),
    (Finding.ZERO_WINDOW_PROBE, "window probe"), (Finding.ZERO_WINDOW_PROBE_ACK, "answer to window probe"),
    (Finding.WINDOW_FULL, "window full"), (Finding.KEEP_ALIVE, "keep-alive"),
    (Finding.KEEP_ALIVE_ACK, "keep-alive ACK"),
    (Finding.TFO_SYN, "fast open"), (Finding.REUSED_PORTS, "ports reused"))
NOTED = sum(bit for bit, _ in FINDINGS)
PLAIN_KINDS = (SegmentKind.KIND_NONE, SegmentKind.KIND_NEW)


class Step(NamedTuple):
    """One segment."""

    frame: int
    time_ns: int                 # since the connection's first frame
    delta_ns: int                # since its previous frame
    by_client: bool
    flags: str
    numbers: str                 # Seq, Ack, Len, Win and a SYN's options
    states: tuple[str, str]      # of client and server, afterwards
    verdict: str                 # with cause and evidence, if the segment is not simply new
    notes: tuple[str, ...]       # what the analysis found, and that it is no segment but quoted by ICMP


class Fold(NamedTuple):
    """Segments that are not shown."""

    segments: int
    client: tuple[int, int]      # segments and bytes it sent
    server: tuple[int, int]
    time_ns: int                 # of the first
    duration_ns: int
    notes: tuple[tuple[str, int], ...]           # how often each


class Ladder(NamedTuple):
    """``flow`` is the connection's row of the flows table."""

    flow: dict[str, Any]
    items: tuple[Step | Fold, ...]


PHASES = {"SYN-SENT": "opening", "SYN-RECEIVED": "opening", "LISTEN": "closed", "ESTABLISHED": "open",
          "CLOSED": "closed", "UNKNOWN": "unknown"}


def phase(state: str) -> str:
    """Which part of a connection's life a state belongs to."""
    return PHASES.get(state, "closing")


def headline(flow: dict[str, Any]) -> list[str]:
    """What a ladder is of, and how it went."""
    ends = " → ".join(endpoint(flow[end], flow[f"{end}_port"]) for end in ENDS)
    rtt = flow["initial_rtt"]
    facts = [f"handshake {flow['outcome'].replace('_', ' ')}" + (f" in {duration_text(int(rtt))}" if rtt else ""),
             f"{counted(flow['payload_bytes_client'], 'byte')} sent, {flow['payload_bytes_server']:,} received",
             counted(flow["packets_client"] + flow["packets_server"], "segment")]
    end = flow["teardown"].replace("_", " ")
    facts.append(f"close {end}, begun by the {flow['closer']}" if flow["closer"] else f"close {end}")
    return [f"Stream {flow['stream']}  {ends}", " · ".join(facts)]


def fold_text(fold: Fold) -> str:
    """What the folded segments carried."""
    sides = [f"{arrow} {count:,} with {size:,} bytes" if size else f"{arrow} {count:,}"
             for arrow, (count, size) in (("→", fold.client), ("←", fold.server)) if count]
    return f"{counted(fold.segments, 'segment')} in {duration_text(fold.duration_ns)}: {', '.join(sides)}"


def counts_text(fold: Fold) -> str:
    """What stands out among them."""
    return ", ".join(f"{word}: {count:,}" for word, count in fold.notes)


def build_ladder(capture: Capture, stream: int, *, everything: bool = False) -> Ladder:
    """The ladder of one stream; memory grows with its segments.  IndexError if there is no such stream."""
    rows, flow, client = read_connection(capture, stream)
    return Ladder(flow, tuple(_items(rows, client, everything)))


def _items(rows: Array, client: int, everything: bool) -> Iterable[Step | Fold]:
    words = column_values(Rows(rows), VERDICT_TEXT)
    shown = np.ones(len(rows), bool) if everything else _chosen(rows)
    at = 0
    while at < len(rows):
        end = at
        while end < len(rows) and not shown[end]:
            end += 1
        if end - at >= SHORTEST_FOLD:
            yield _fold(rows[at:end], client)
        else:
            end = max(end, at + 1)
            yield from (_step(row, text or "", client) for row, text in zip(rows[at:end], words[at:end], strict=True))
        at = end


def _chosen(rows: Array) -> Array:
    """What turns the connection or stands out, a little around it, and no more than one can look at."""
    turning = (rows["flags"] & (TcpFlag.SYN | TcpFlag.FIN)) != 0
    resets = (rows["flags"] & TcpFlag.RST) != 0
    for direction in (0, 1):
        turning[np.flatnonzero(resets & (rows["direction"] == direction))[:1]] = True
    for state in ("client_state", "server_state"):
        turning[1:] |= rows[state][1:] != rows[state][:-1]
    repeated = rows["duplicate_ack_num"] > 1
    turning[:1] = turning[-1:] = True
    noted = ((rows["findings"] & NOTED) != 0) & ~repeated | ((rows["damage"] & Damage.QUOTED) != 0)
    turning[np.flatnonzero(noted)[:REMARKABLE]] = True
    turning[np.flatnonzero(~np.isin(rows["kind"], PLAIN_KINDS))[:JUDGED]] = True
    at = np.flatnonzero(turning)
    if len(at) > SHOWN:
        at = np.concatenate([at[:SHOWN * 2 // 3], at[-SHOWN // 3:]])
    shown = np.zeros(len(rows), bool)
    for offset in range(-AROUND, AROUND + 1):
        shown[np.clip(at + offset, 0, len(rows) - 1)] = True
    return shown


def _step(row: Any, verdict: str, client: int) -> Step:
    flags = int(row["flags"])
    return Step(int(row["frame"]), int(row["time_relative"]), int(row["time_delta"]), int(row["direction"]) == client,
                ", ".join(name for name, bit in FLAG_NAMES if flags & bit) or "no flags", _numbers(row, flags),
                (STATE_WORDS[row["client_state"]], STATE_WORDS[row["server_state"]]),
                verdict,
                tuple(_found(row)))


def _numbers(row: Any, flags: int) -> str:
    present = int(row["present"])
    parts = [f"Seq={row['seq']}"]
    if flags & TcpFlag.ACK:
        parts.append(f"Ack={row['ack']}")
    parts += [f"Len={row['payload_len']}" if present & Present.HAS_LEN else "Len=?", f"Win={row['window_size']}"]
    if present & Present.HAS_MSS:
        parts.append(f"MSS={row['mss']}")
    if present & Present.HAS_WSCALE:
        parts.append(f"WS={1 << min(int(row['wscale']), 14)}")
    if present & Present.HAS_SACK_PERMITTED:
        parts.append("SACK")
    if present & Present.HAS_TIMESTAMPS and flags & TcpFlag.SYN:
        parts.append("TS")
    return " ".join(parts)


def _found(row: Any) -> list[str]:
    found = [word for bit, word in FINDINGS if row["findings"] & bit]
    return [*found, "quoted by ICMP"] if row["damage"] & Damage.QUOTED else found


def _verdict(row: Any) -> list[str]:
    """In a word or two."""
    kind, cause = int(row["kind"]), int(row["cause"])
    if kind in PLAIN_KINDS:
        return []
    word = KIND_WORDS[kind].replace("_", " ")
    return [f"{word} ({CAUSE_WORDS[cause].replace('_', ' ')})" if cause else word]


def _fold(rows: Array, client: int) -> Fold:
    by_client = rows["direction"] == client
    counts = Counter(word for row in rows for word in (*_verdict(row), *_found(row)))
    sides = [(int(np.count_nonzero(side)), int(rows["payload_len"][side].sum())) for side in (by_client, ~by_client)]
    return Fold(len(rows), sides[0], sides[1], int(rows["time_relative"][0]),
                int(rows["time_ns"][-1] - rows["time_ns"][0]), tuple(counts.most_common()))
