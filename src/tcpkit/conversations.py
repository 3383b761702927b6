"""The conversations table: what `tshark -q -z conv,tcp` counts, the largest first (SEMANTICS section CV)."""
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from tcpcore.flows import FlowTable
from tcpcore.records import FLOW
from tcpkit.directed import ends, join, sent
from tcpkit.flow_columns import CONVERSATIONS
from tcpkit.pipeline import Pipeline
from tcpkit.table import Table
from tcpkit.trackers import PIECE
from tcpkit.values import Array, rows_at
from tcpkit.waiting import WaitingRows


class Keys(NamedTuple):
    """Where conversations come in the table, and where their streams are held."""

    packets: Array
    frames: Array
    slots: Array


def conversation_table(records: Array, start_ns: int) -> Table:
    """Of all FLOW records, in any order."""
    rows = conversation_rows(records)
    return Table(rows_at(rows, in_order(rows["packets"], rows["conversation_frame"])), CONVERSATIONS,
                 start_ns=start_ns)


def conversation_pieces(passed: Pipeline) -> Iterator[Table]:
    """The table of a pass that tells flows apart, in pieces of some thousand rows, at least one.

    The order is known at the end of the pass, which is made if it has not been.  No more than what orders them is kept
    in memory: each piece is made when it is asked for.
    """
    flows = passed.flows
    assert flows
    with WaitingRows(NOTHING.dtype) as gone:
        packets, frames = keys_released(passed, gone)
        held = keys_of(flows)
        order = in_order(np.concatenate([packets, held.packets]), np.concatenate([frames, held.frames]))
        for start in range(0, max(len(order), 1), PIECE):
            places = order[start:start + PIECE]
            is_held = places >= len(gone)
            rows = conversation_rows(flows.records(held.slots[places[is_held] - len(gone)]))
            if len(rows) < len(places):
                mixed = np.zeros(len(places), NOTHING.dtype)
                mixed[is_held], mixed[~is_held] = rows, gone.at(places[~is_held])
                rows = mixed
            yield Table(rows, CONVERSATIONS, start_ns=passed.start_ns)


def keys_released(passed: Pipeline, gone: WaitingRows) -> tuple[Array, Array]:
    """What orders the streams that give up their slots while the pass is made; their rows go to ``gone``."""
    packets, frames = [NOTHING["packets"]], [NOTHING["conversation_frame"]]
    for batch in () if passed.finished else passed:
        if batch.released is not None:
            rows = conversation_rows(batch.released["flows"])
            packets.append(rows["packets"].copy())
            frames.append(rows["conversation_frame"].copy())
            gone.append(rows)
    return np.concatenate(packets), np.concatenate(frames)


def keys_of(flows: FlowTable) -> Keys:
    """Of the streams held that have a whole segment (CV-1)."""
    keys, n = Keys(*(np.empty(flows.n_held, kind) for kind in (np.uint64, np.uint64, np.uint32))), 0
    for start in range(0, flows.n_slots, PIECE):
        slots = flows.slots(start, start + PIECE)
        records = flows.records(slots)
        frames, packets = records["conversation_frame"], records["conversation_packets0"]
        there = np.flatnonzero(frames)
        into = slice(n, n := n + len(there))
        keys.packets[into] = (packets + records["conversation_packets1"])[there]
        keys.frames[into], keys.slots[into] = frames[there], slots[there]
    return Keys(*(key[:n] for key in keys))


def in_order(packets: Array, frames: Array) -> Array:
    """CV-3: the most packets first, of as many the first frame."""
    order: Array = np.lexsort((frames, ~packets))
    return order


def conversation_rows(records: Array) -> Array:
    """One for each stream with a whole segment (CV-1)."""
    there = records["conversation_frame"] > 0
    records = records if there.all() else records[there]
    fields = {name: records[name] for name in ("stream", "earliest_ns", "conversation_frame", "ip_version")}
    first = records["conversation_direction"]
    fields |= ends(records, first, ("a", "b"))
    for figure in ("packets", "bytes"):
        both = sent(records, first, f"conversation_{figure}", (f"{figure}_to_b", f"{figure}_to_a"))
        fields |= {**both, figure: both[f"{figure}_to_a"] + both[f"{figure}_to_b"]}
    fields["duration"] = records["latest_ns"] - records["earliest_ns"]
    return join(fields)


NOTHING = conversation_rows(np.empty(0, FLOW))
