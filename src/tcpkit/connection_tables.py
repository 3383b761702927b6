"""The tables that speak of connections and what went wrong with them, read without holding packets."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from tcpkit.columns import Schema, Stage
from tcpkit.fields import find_columns, stages_of
from tcpkit.passes import Passes
from tcpkit.pipeline import Detail
from tcpkit.table import Table, in_order, joined


class ConnectionTables(Passes):
    """Each as a whole, kept once it is known, and in pieces."""

    @cached_property
    def flows(self) -> Table:
        """One row for each connection."""
        return in_order(joined(self._flow_tables("all", self._told(verdicts=False))), "stream")

    @property
    def n_flows(self) -> int:
        """How many rows that are, without making them."""
        flows = self._past("flows", detail="none").flows
        assert flows
        return flows.n_streams

    @cached_property
    def judged_flows(self) -> Table:
        """The same with loss, reordering and duplication as the verdicts tell them, which takes longer."""
        return in_order(joined(self._flow_tables("all", self._told(verdicts=True))), "stream")

    def flow_pieces(self, columns: Sequence[str] | None = None, *, where: str = "",
                    verdicts: bool = False) -> Iterator[Table]:
        """The flows table in pieces of some thousand rows, at least one.

        In the order of their streams, but those evicted come first, while the capture is read.  The pass keeps no more
        of a connection than this table tells, so other tables take a pass of their own.
        ``columns``: all that will be looked at, those of the verdicts too; stages that none of them needs are not run.
        ``where``: a display filter that chooses the rows, also by columns that are not among them.  FieldError or
        FilterError, before the capture is read, for a name that is no column.
        """
        from tcpkit.flow_columns import FLOWS

        told = self._told(verdicts) if columns is None else frozenset()
        return self._flow_tables("flows", stages_needed(FLOWS, columns, where, told), where)

    def _told(self, verdicts: bool) -> frozenset[Stage]:
        """The stages of the flows table, where no columns are named."""
        if "flows" not in self._stages:
            raise ValueError('flows need the stage "flows"')
        return self._stages & {"flows", "analysis", "lifecycle", *(("verdicts",) if verdicts else ())}

    def _flow_tables(self, detail: Detail, stages: frozenset[Stage], where: str = "") -> Iterator[Table]:
        from tcpkit.flows import flow_table

        for streams in self._streams(*stages, detail=detail):
            yield rows_of(flow_table(streams), where)

    @cached_property
    def states(self) -> Table:
        """One row for each connection that is not over at the end of the capture: the states of both ends, ages."""
        return joined(self.state_pieces())

    def state_pieces(self, columns: Sequence[str] | None = None, *, where: str = "") -> Iterator[Table]:
        """The states table in pieces, as ``flow_pieces``."""
        from tcpkit.states import STATES, states_at_end

        stages = stages_needed(STATES, columns, where, frozenset({"flows", "lifecycle", "analysis"}))
        for table in states_at_end(self._past("lifecycle", *stages, detail="flows")):
            yield rows_of(table, where)

    @cached_property
    def directions(self) -> Table:
        """Two rows for each connection: what either end sent, and how it fared."""
        return in_order(joined(self.direction_pieces()), "stream")

    def direction_pieces(self, columns: Sequence[str] | None = None, *, where: str = "") -> Iterator[Table]:
        """The directions table in pieces, as ``flow_pieces``."""
        from tcpkit.direction_columns import DIRECTIONS
        from tcpkit.directions import direction_table

        if columns is None and "analysis" not in self._stages:
            raise ValueError('directions need the stage "analysis"')
        stages = stages_needed(DIRECTIONS, columns, where, self._stages & {"flows", "analysis", "verdicts"})
        for streams in self._streams("analysis", *stages, detail="all"):
            assert streams.analysis is not None
            yield rows_of(direction_table(streams.flows, streams.analysis, streams.verdicts), where)

    @cached_property
    def reordering(self) -> Table:
        """One row for each displacement that occurs among the segments of a sender that did not all come in order."""
        return in_order(joined(self.reordering_pieces()), "stream")

    def reordering_pieces(self, *, where: str = "") -> Iterator[Table]:
        """The reordering table in pieces, as ``flow_pieces``."""
        from tcpkit.reordering import reordering_table
        from tcpkit.reordering_columns import REORDERING

        check_filter(where, REORDERING)
        for streams in self._streams("flows", "verdicts", detail="none"):
            assert streams.verdicts is not None
            yield rows_of(reordering_table(streams.flows, streams.verdicts), where)

    @cached_property
    def handshakes(self) -> Table:
        """One row for each connection whose beginning was captured: how long it took, what was agreed."""
        return in_order(joined(self.handshake_pieces()), "stream")

    def handshake_pieces(self, *, where: str = "") -> Iterator[Table]:
        """The handshakes table in pieces, as ``flow_pieces``."""
        from tcpkit.handshake_columns import HANDSHAKES
        from tcpkit.handshakes import handshake_table

        check_filter(where, HANDSHAKES)
        for streams in self._streams("flows", "lifecycle", detail="all"):
            assert streams.lifecycle is not None
            yield rows_of(handshake_table(streams.flows, streams.lifecycle), where)

    @cached_property
    def conversations(self) -> Table:
        """One row for each connection with a whole segment, as Wireshark's TCP conversations."""
        return joined(self.conversation_pieces())

    def conversation_pieces(self, *, where: str = "") -> Iterator[Table]:
        """The conversations table in pieces of some thousand rows, at least one, the largest first.

        None comes before the capture has been read, but memory holds little more than the connections themselves.
        ``where``: as for ``flow_pieces``.
        """
        from tcpkit.conversations import conversation_pieces
        from tcpkit.flow_columns import CONVERSATIONS

        check_filter(where, CONVERSATIONS)
        for table in conversation_pieces(self._held(("flows",), "none") or self.pipeline(("flows",))):
            yield rows_of(table, where)

    @cached_property
    def retransmissions(self) -> Table:
        """One row for each segment that was sent again, as tshark or its verdict has it, and why."""
        return joined(self.retransmission_pieces())

    def retransmission_pieces(self, columns: Sequence[str] | None = None, *, where: str = "") -> Iterator[Table]:
        """The retransmissions table in pieces, as ``flow_pieces``, in the order of frames.

        None comes before the capture has been read, for later segments may correct the verdicts; memory does not grow.
        """
        from tcpkit.retransmission_columns import RETRANSMISSIONS
        from tcpkit.retransmissions import retransmission_pieces

        stages = stages_needed(RETRANSMISSIONS, columns, where, frozenset({"analysis", "lifecycle", "verdicts"}))
        detail: Detail = "all" if columns is None else "none"        # what it can tell besides serves other tables
        for table in retransmission_pieces(self.pipeline({"analysis", "verdicts", *stages}, detail=detail)):
            yield rows_of(table, where)


def stages_needed(schema: Schema, columns: Sequence[str] | None, where: str,
                  all_of_them: frozenset[Stage] = frozenset()) -> frozenset[Stage]:
    """Those that compute the columns named and what the display filter speaks of; if none are named, ``all_of_them``.

    FieldError or FilterError for a name that the table, or as far as these stages go, does not have, and FilterError
    for whatever else is wrong with the filter.
    """
    if columns is None:
        known, stages = [column for column in schema.columns if column.stage in all_of_them], all_of_them
    else:
        known, stages = list(schema.columns), stages_of(find_columns(columns, schema.columns)) | {"flows"}
    if where:
        from tcpkit.display_filter import DisplayFilter
        from tcpkit.row_filter import stages_asked

        stages |= stages_asked(DisplayFilter(where), known)
    return stages


def check_filter(where: str, schema: Schema) -> None:
    """FilterError, before anything is read, for a wrong display filter, or one of what the table does not have."""
    stages_needed(schema, (), where)


def rows_of(table: Table, where: str) -> Table:
    """Those that the display filter selects, or all."""
    return table.where(where) if where else table
