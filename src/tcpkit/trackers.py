"""The stages of a pass that keep something of each stream, and what they tell of it."""
from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from tcpcore.analysis import Analysis
from tcpcore.flows import SLOT_BYTES, FlowTable
from tcpcore.lifecycle import Lifecycle
from tcpcore.verdicts import Verdicts
from tcpkit.budget import Budget, account, max_flows, pool_limits
from tcpkit.columns import Stage
from tcpkit.values import Array

PIECE = 1 << 12                  # streams


class StreamRecords(NamedTuple):
    """FLOW rows, and of the same streams FLOW_ANALYSIS, LIFECYCLE and FLOW_VERDICT rows if the pass has them."""

    flows: Array
    analysis: Array | None = None
    lifecycle: Array | None = None
    verdicts: Array | None = None


def join_records(pieces: Sequence[StreamRecords]) -> StreamRecords:
    """At least one piece of the same pass as one."""
    parts: list[Any] = [None if part[0] is None else np.concatenate(part) for part in zip(*pieces, strict=True)]
    return StreamRecords(*parts)


def of_stages(streams: StreamRecords, stages: Collection[Stage]) -> StreamRecords:
    """Without what a pass through more stages has told."""
    beyond: dict[str, Any] = {name: None for name in StreamRecords._fields[1:] if name not in stages}
    return streams._replace(**beyond)


def without_end(streams: StreamRecords) -> StreamRecords:
    """Those that neither both ends closed nor one reset."""
    assert streams.lifecycle is not None
    going_on = streams.lifecycle["closed_ns"] == 0
    parts: list[Any] = [None if part is None else part[going_on] for part in streams]
    return StreamRecords(*parts)


class Trackers:
    """``summary``: whether the analysis adds up what it finds.  ``all_of_it``: more than the flows table tells.

    ``beside``: bytes that the caller keeps of a stream; ``added_up``: and of all together.
    ``idle_ns``: silence that ends a stream; 0: none does.
    """

    def __init__(self, stages: Collection[Stage], *, msl_ns: int, summary: bool, memory_limit: int,
                 all_of_it: bool = True, idle_ns: int = 0, beside: int = 0, added_up: int = 0) -> None:
        limits = pool_limits(memory_limit - added_up, stages)
        history = {"history_limit": limits.pop("history_limit")} if "verdicts" in stages else {}
        beyond = {"beyond_limit": limits.pop("beyond_limit")} if "lifecycle" in stages else {}
        self.analysis = Analysis(summary=summary, spread=all_of_it, **limits) if "analysis" in stages else None
        self.lifecycle = Lifecycle(msl_ns=msl_ns, handshakes=all_of_it, **beyond) if "lifecycle" in stages else None
        self.verdicts = Verdicts(**history) if "verdicts" in stages else None
        each = SLOT_BYTES + beside + sum(stage.slot_bytes for stage in (self.analysis, self.lifecycle, self.verdicts)
                                         if stage)
        self.flows = (FlowTable(max_flows=max_flows(memory_limit - added_up, each), idle_ns=idle_ns)
                      if "flows" in stages else None)
        self.n_slots = 0             # of the flow table, that all of them know
        self._summary = summary
        self._memory_limit = memory_limit
        self._beside, self._added_up = beside, added_up

    @property
    def at_work(self) -> dict[Stage, FlowTable | Analysis | Lifecycle | Verdicts]:
        """Those that the pass needs, in their order."""
        every: dict[Stage, FlowTable | Analysis | Lifecycle | Verdicts | None] = {
            "flows": self.flows, "analysis": self.analysis, "lifecycle": self.lifecycle, "verdicts": self.verdicts}
        return {stage: tracker for stage, tracker in every.items() if tracker}

    @property
    def budget(self) -> Budget:
        """What has been used so far, and what the limit cost."""
        return account(self._memory_limit, self.at_work, self.n_slots, self.flows.evicted if self.flows else (0, 0),
                       self._beside * self.n_slots + self._added_up)

    def table(self) -> FlowTable:
        """ValueError if the pass has none."""
        if not self.flows:
            raise ValueError("this pass does not tell streams apart")
        return self.flows

    def pieces(self) -> Iterator[StreamRecords]:
        """Of all streams held, some thousand at a time, at least one piece."""
        flows = self.table()
        for start in range(0, max(self.n_slots, 1), PIECE):
            yield self.at(flows.slots(start, min(start + PIECE, self.n_slots)))

    def at(self, slots: Array) -> StreamRecords:
        """Of the streams in these slots."""
        flows = self.table()
        return StreamRecords(
            flows.records(slots),
            self.analysis.records(flows, slots) if self.analysis and self._summary else None,
            self.lifecycle.records(flows, slots) if self.lifecycle else None,
            self.verdicts.records(flows, slots) if self.verdicts else None)
