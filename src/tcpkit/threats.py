"""SYN floods, scans and dead servers, from how the connections of a capture began.

A flood is many connection attempts at one service from many sources of which hardly any completes, sent once each:
whoever forges an address never sees the SYN+ACK.  Clients of a dead server do send their SYNs again, and those of a
busy one complete.  A scan is one source that tries many ports of a host, or one port of many hosts, mostly in vain.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tcpcore.flags import Outcome
from tcpkit.directed import ends, join
from tcpkit.table import Table
from tcpkit.threat_columns import KINDS, THREATS
from tcpkit.values import Array

MANY = 100                       # attempts at a service, or sources of them, to speak of a flood
SCANNED = 20                     # ports of a host, or hosts, to speak of a scan
FEW = 0.1                        # share of attempts that may complete in a flood
IN_VAIN = 0.5                    # share of a scan's attempts that must not complete
PATIENCE = 3_000_000_000         # ns after which a client has sent its SYN again (RFC 6298 section 2.1: 1 s)
HASTE = 1000                     # attempts a second, where the capture is too short to see SYNs repeated
DEAD = 10                        # attempts that nobody answered, to speak of a dead server
MIX = np.uint64(0x9E3779B97F4A7C15)
END = {"client": ("client_hi", "client_lo"), "server": ("server_hi", "server_lo")}
COMPLETE = (Outcome.OUTCOME_COMPLETE, Outcome.OUTCOME_FAST_OPEN, Outcome.OUTCOME_SIMULTANEOUS)
OPEN = (Outcome.OUTCOME_UNANSWERED, Outcome.OUTCOME_NO_ANSWER)


def threat_table(streams: Iterable[tuple[Array, Array]]) -> Table:
    """From FLOW and LIFECYCLE rows, piece by piece; some 80 bytes a connection are kept meanwhile."""
    attempts = np.concatenate([_attempts(flows, lifecycle) for flows, lifecycle in streams])
    latest = int(attempts["last_ns"].max(initial=0))
    found = [*_at_services(attempts, latest), *_by_sources(attempts)]
    found.sort(key=lambda row: -row["attempts"])
    return Table(_rows(found), THREATS)


def _attempts(flows: Array, lifecycle: Array) -> Array:
    """What matters of the streams whose SYN was captured."""
    begun = lifecycle["syn_count"] > 0
    flows, records = flows[begun], lifecycle[begun]
    fields = ends(flows, flows["client"], ("client", "server"))
    end = np.where(records["ack_ns"] != 0, records["ack_ns"], records["closed_ns"])
    return join({**fields, "ip_version": flows["ip_version"], "syn_ns": records["syn_ns"], "end_ns": end,
                 "last_ns": np.maximum(flows["latest_ns"], records["syn_ns"]),
                 "again": (records["syn_count"] > 1).view(np.uint8), "outcome": records["outcome"]})


def _groups(attempts: Array, keys: tuple[str, ...], least: int) -> Iterator[Array]:
    """At least so many attempts that agree in all ``keys``, in order of time."""
    attempts = _frequent(attempts, keys, least)
    if not len(attempts):
        return
    rows = attempts[np.lexsort([attempts["syn_ns"], *(attempts[key] for key in keys)])]
    new = np.ones(len(rows) + 1, bool)
    new[1:-1] = False
    for key in keys:
        new[1:-1] |= rows[key][1:] != rows[key][:-1]
    bounds = np.flatnonzero(new)
    for at in np.flatnonzero(np.diff(bounds) >= least):
        yield rows[bounds[at]:bounds[at + 1]]


def _frequent(attempts: Array, keys: tuple[str, ...], least: int) -> Array:
    """Without most of those that cannot be in a large group: a flood has millions of sources."""
    mixed = np.zeros(len(attempts), np.uint64)
    for key in keys:
        mixed = mixed * MIX + attempts[key].astype(np.uint64)
    _, group, counts = np.unique(mixed, return_inverse=True, return_counts=True)
    return attempts[counts[group] >= least]


def _distinct(rows: Array, *names: str) -> int:
    order = np.lexsort([rows[name] for name in names])
    differs = np.zeros(len(rows), bool)
    for name in names:
        values = rows[name][order]
        differs[1:] |= values[1:] != values[:-1]
    return 1 + int(np.count_nonzero(differs))


def _at_services(attempts: Array, latest: int) -> Iterator[dict[str, int | float]]:
    for rows in _groups(attempts, ("server_port", *END["server"]), DEAD):
        facts = _facts(rows)
        waited = rows[(latest - rows["syn_ns"] > PATIENCE) & np.isin(rows["outcome"], OPEN)]
        patient = bool(len(waited)) and float(waited["again"].mean()) > IN_VAIN
        answered = bool((rows["outcome"] == Outcome.OUTCOME_UNANSWERED).any())
        hasty = answered or len(waited) or facts["rate"] >= HASTE
        many = min(facts["half_open"], facts["sources"]) >= MANY and facts["completed"] <= FEW * len(rows)
        if many and hasty and not patient:
            yield {"kind": KINDS.index("syn_flood"), **facts, **_target(rows, port=True)}
        elif facts["completed"] == 0 and not answered and (patient or facts["refused"] == len(rows)):
            yield {"kind": KINDS.index("dead_server"), **facts, **_target(rows, port=True)}


def _by_sources(attempts: Array) -> Iterator[dict[str, int | float]]:
    for rows in _groups(attempts, (*END["client"], *END["server"]), SCANNED):
        if _distinct(rows, "server_port") >= SCANNED and _in_vain(rows):
            yield {"kind": KINDS.index("port_scan"), **_facts(rows), **_source(rows), **_target(rows, port=False)}
    for rows in _groups(attempts, ("server_port", *END["client"]), SCANNED):
        if _distinct(rows, *END["server"]) >= SCANNED and _in_vain(rows):
            yield {"kind": KINDS.index("host_scan"), **_facts(rows), **_source(rows),
                   "target_port": int(rows["server_port"][0]), "has_target_port": 1}


def _in_vain(rows: Array) -> bool:
    return float(np.isin(rows["outcome"], COMPLETE).mean()) <= 1 - IN_VAIN


def _facts(rows: Array) -> dict[str, int | float]:
    """The evidence; ``rows`` are in order of time."""
    still_open = np.isin(rows["outcome"], OPEN)
    start, span = int(rows["syn_ns"].min()), int(np.ptp(rows["syn_ns"]))
    return {"attempts": len(rows), "completed": int(np.isin(rows["outcome"], COMPLETE).sum()),
            "refused": int((rows["outcome"] == Outcome.OUTCOME_REFUSED).sum()), "half_open": int(still_open.sum()),
            "peak_half_open": _peak(rows), "sources": _distinct(rows, *END["client"]),
            "ports": _distinct(rows, "server_port"), "hosts": _distinct(rows, *END["server"]),
            "start_ns": start, "span": span, "rate": len(rows) / max(span / 1e9, 1.0)}


def _peak(rows: Array) -> int:
    """Most handshakes under way at a time."""
    ended = np.sort(rows["end_ns"][rows["end_ns"] != 0])
    begun = np.sort(rows["syn_ns"])
    return int((np.arange(1, len(begun) + 1) - np.searchsorted(ended, begun, "right")).max())


def _target(rows: Array, *, port: bool) -> dict[str, int]:
    place = {"target_hi": int(rows["server_hi"][0]), "target_lo": int(rows["server_lo"][0]), "has_target": 1,
             "ip_version": int(rows["ip_version"][0])}
    return {**place, "target_port": int(rows["server_port"][0]), "has_target_port": 1} if port else place


def _source(rows: Array) -> dict[str, int]:
    return {"source_hi": int(rows["client_hi"][0]), "source_lo": int(rows["client_lo"][0]), "has_source": 1,
            "ip_version": int(rows["ip_version"][0])}


def _rows(found: list[dict[str, int | float]]) -> Array:
    names = {"start_ns": np.int64, "span": np.int64, "rate": np.float64, "target_hi": np.uint64, "target_lo": np.uint64,
             "source_hi": np.uint64, "source_lo": np.uint64, "attempts": np.uint32, "completed": np.uint32,
             "refused": np.uint32, "half_open": np.uint32, "peak_half_open": np.uint32, "sources": np.uint32,
             "ports": np.uint32, "hosts": np.uint32, "target_port": np.uint16, "kind": np.uint8,
             "ip_version": np.uint8, "has_target": np.uint8, "has_target_port": np.uint8, "has_source": np.uint8}
    return join({name: np.array([row.get(name, 0) for row in found], kind) for name, kind in names.items()})
