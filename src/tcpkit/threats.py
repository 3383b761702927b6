"""SYN floods, scans and dead servers, from how the connections of a capture began.

A flood is many connection attempts at one service from many sources of which hardly any completes, sent once each:
whoever forges an address never sees the SYN+ACK.  Clients of a dead server do send their SYNs again, and those of a
busy one complete.  A scan is one source that tries many ports of a host, or one port of many hosts, mostly in vain.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from tcpcore.flags import Outcome
from tcpcore.records import FLOW, LIFECYCLE
from tcpkit.columns import ENDS
from tcpkit.directed import ends, join
from tcpkit.flows import latest_times
from tcpkit.half_open import HALF_OPEN_FIELDS, SERVICE, HalfOpen
from tcpkit.table import Table
from tcpkit.tally import Tally
from tcpkit.threat_columns import HALF_OPEN, KINDS, THREATS
from tcpkit.trackers import StreamRecords
from tcpkit.values import EARLIEST, Array

MANY = 100                       # attempts at a service, or sources of them, to speak of a flood
SCANNED = 20                     # ports of a host, or hosts, to speak of a scan
FEW = 0.1                        # share of attempts that may complete in a flood
LEFT = 0.2                       # ... or that must be left half-open for good, where other clients are served
IN_VAIN = 0.5                    # share of a scan's attempts that must not complete
PATIENCE = 3_000_000_000         # ns after which a client has sent its SYN again (RFC 6298 section 2.1: 1 s)
HASTE = 1000                     # attempts a second, where the capture is too short to see SYNs repeated
DEAD = 10                        # attempts that nobody answered, to speak of a dead server
CLIENT, SERVER = ("client_hi", "client_lo"), ("server_hi", "server_lo")
COMPLETE = (Outcome.OUTCOME_COMPLETE, Outcome.OUTCOME_FAST_OPEN, Outcome.OUTCOME_SIMULTANEOUS)
OPEN = (Outcome.OUTCOME_UNANSWERED, Outcome.OUTCOME_NO_ANSWER)
SUMS = ("attempts", "completed", "refused", "open", "answered")
SERVICES, SOURCES = 1 << 12, 1 << 15             # kept at most
# In ROOM bytes; in half of it half as much.
ROOM = 192 << 20
AT_ONCE = 1 << 17                # attempts that are counted in one go, at most
STEPS = 1 << 18                  # of all services, at most
VALUES = 1 << 20                 # sources of all services, and the like
LEAST = ROOM // 4                # that there always is


class Attempts:
    """How connections began, added up from FLOW and LIFECYCLE rows that come piece by piece.

    Memory is bounded: of services and of sources the most active ones are kept.  ``room``: bytes beyond LEAST.
    """

    def __init__(self, streams: Iterable[StreamRecords], room: int) -> None:
        at_once, steps, values = (most * (LEAST + room) // ROOM for most in (AT_ONCE, STEPS, VALUES))
        at_once, steps = min(at_once, AT_ONCE), min(steps, STEPS)
        self._services = Tally(SERVICE, SUMS, CLIENT, SERVICES, values)
        self._scans = Tally((*CLIENT, *SERVER), SUMS, ("server_port",), SOURCES, values)
        self._sweeps = Tally((*CLIENT, "server_port"), SUMS, SERVER, SOURCES, values)
        self._half_open = HalfOpen(steps)
        self._latest = EARLIEST
        waiting, n = [_attempts(np.empty(0, FLOW), np.empty(0, LIFECYCLE))], 0
        for flows, _, lifecycle, _ in streams:
            assert lifecycle is not None
            self._latest = max(self._latest, int(latest_times(flows).max(initial=EARLIEST)))
            waiting.append(_attempts(flows, lifecycle))
            n += len(waiting[-1])
            if n >= at_once:
                attempts, waiting, n = np.concatenate(waiting), [], 0
                self._add(attempts)
                del attempts
        if waiting:
            self._add(np.concatenate(waiting))

    def _add(self, attempts: Array) -> None:
        for counts in (self._services, self._scans, self._sweeps, self._half_open):
            counts.add(attempts)

    def half_open_table(self) -> Table:
        """How many handshakes were under way at each server and port, step by step."""
        counts = self._half_open
        rows = counts.rows
        fields = {name: rows[name] for name in HALF_OPEN_FIELDS}
        fields |= {"start_ns": rows["step"] * counts.width, "width": np.full(len(rows), counts.width),
                   "half_open": counts.totals()}
        order = np.lexsort((rows["step"], rows["server_port"], rows["server_lo"], rows["server_hi"]))
        return Table(join(fields)[order], HALF_OPEN)

    def threat_table(self) -> Table:
        """What of it looks like an attack or a failure, the largest first, with the evidence."""
        found = [*self._at_services(), *_scans(self._scans, "port_scan"), *_scans(self._sweeps, "host_scan")]
        found.sort(key=lambda row: -row["attempts"])
        return Table(_rows(found), THREATS)

    def _at_services(self) -> Iterator[dict[str, int | float]]:
        waits, peaks = self._waits(), self._peaks()
        for row, sources in zip(self._services.rows, self._services.distinct(), strict=True):
            if row["attempts"] < DEAD:
                continue
            facts = {**_facts(row), "sources": int(sources), "hosts": 1, "ports": 1, "has_peak": 1,
                     "peak_half_open": peaks.get(int(row["key"]), 0)}
            place = {**_target(row), "target_port": int(row["server_port"]), "has_target_port": 1}
            old, left, again = waits.get(int(row["key"]), (0, 0, 0))
            patient = again > left * IN_VAIN
            hasty = row["answered"] or left or facts["rate"] >= HASTE
            useless = row["completed"] <= FEW * row["attempts"] or left - again >= max(MANY, LEFT * old)
            if min(facts["half_open"], facts["sources"]) >= MANY and useless and hasty and not patient:
                yield {"kind": KINDS.index("syn_flood"), **facts, **place}
            elif not row["completed"] and not row["answered"] and (patient or row["refused"] == row["attempts"]):
                yield {"kind": KINDS.index("dead_server"), **facts, **place}

    def _waits(self) -> dict[int, tuple[int, int, int]]:
        """By service, attempts so old that their SYN would be sent again; those still half-open; those where it was."""
        rows = self._half_open.rows
        rows = rows[(rows["step"] + 1) * self._half_open.width <= self._latest - PATIENCE]
        keys, which = np.unique(rows["key"], return_inverse=True)
        counts = [np.bincount(which, rows[name], len(keys)).astype(int).tolist() for name in ("begun", "left", "again")]
        return dict(zip(keys.tolist(), zip(*counts, strict=True), strict=True))

    def _peaks(self) -> dict[int, int]:
        """By service, most handshakes under way at the end of a step."""
        peaks: dict[int, int] = {}
        for key, count in zip(self._half_open.rows["key"].tolist(), self._half_open.totals().tolist(), strict=True):
            peaks[key] = max(count, peaks.get(key, 0))
        return peaks


def _attempts(flows: Array, lifecycle: Array) -> Array:
    """What matters of the streams whose SYN was captured."""
    begun = lifecycle["syn_count"] > 0
    flows, records = flows[begun], lifecycle[begun]
    outcome, start = records["outcome"], records["syn_ns"]
    end = np.where(records["ack_ns"] != 0, records["ack_ns"], records["closed_ns"])
    counts = {"attempts": np.ones(len(flows), bool), "completed": np.isin(outcome, COMPLETE),
              "refused": outcome == Outcome.OUTCOME_REFUSED, "open": np.isin(outcome, OPEN),
              "answered": outcome == Outcome.OUTCOME_UNANSWERED, "again": records["syn_count"] > 1}
    return join({**ends(flows, flows["client"], ENDS), "ip_version": flows["ip_version"],
                 "start_ns": start, "last_ns": start, "end_ns": end,
                 "key": np.empty(len(flows), np.uint64),
                 **{name: count.astype(np.int64) for name, count in counts.items()}})


def _scans(tally: Tally, kind: str) -> Iterator[dict[str, int | float]]:
    """Sources that tried many ports of a host, or many hosts at a port, mostly in vain."""
    distinct = tally.distinct()
    many = np.flatnonzero(distinct >= SCANNED)
    for row, others in zip(tally.rows[many], distinct[many], strict=True):
        if row["completed"] > (1 - IN_VAIN) * row["attempts"]:
            continue
        facts = {"kind": KINDS.index(kind), **_facts(row), "sources": 1, "source_hi": int(row["client_hi"]),
                 "source_lo": int(row["client_lo"]), "has_source": 1, "ip_version": int(row["ip_version"])}
        if kind == "port_scan":
            yield {**facts, **_target(row), "hosts": 1, "ports": int(others)}
        else:
            yield {**facts, "hosts": int(others), "ports": 1, "target_port": int(row["server_port"]),
                   "has_target_port": 1}


def _facts(row: Array) -> dict[str, int | float]:
    """The evidence."""
    span = int(row["last_ns"]) - int(row["start_ns"])
    return {**{name: int(row[name]) for name in ("attempts", "completed", "refused")}, "half_open": int(row["open"]),
            "start_ns": int(row["start_ns"]), "span": span, "rate": int(row["attempts"]) / max(span / 1e9, 1.0)}


def _target(row: Array) -> dict[str, int]:
    return {"target_hi": int(row["server_hi"]), "target_lo": int(row["server_lo"]), "has_target": 1,
            "ip_version": int(row["ip_version"])}


def _rows(found: list[dict[str, int | float]]) -> Array:
    names = {"start_ns": np.int64, "span": np.int64, "rate": np.float64, "target_hi": np.uint64, "target_lo": np.uint64,
             "source_hi": np.uint64, "source_lo": np.uint64, "attempts": np.uint32, "completed": np.uint32,
             "refused": np.uint32, "half_open": np.uint32, "peak_half_open": np.uint32, "sources": np.uint32,
             "ports": np.uint32, "hosts": np.uint32, "target_port": np.uint16, "kind": np.uint8,
             "ip_version": np.uint8, "has_target": np.uint8, "has_target_port": np.uint8, "has_source": np.uint8,
             "has_peak": np.uint8}
    return join({name: np.array([row.get(name, 0) for row in found], kind) for name, kind in names.items()})
