"""The states table: netstat's view from the wire alone, one row for each connection that is not over."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tcpcore.fieldtext import TextKind as Kind
from tcpcore.flags import TcpState
from tcpkit.columns import Column, Schema
from tcpkit.directed import join
from tcpkit.flow_columns import FLOWS
from tcpkit.flows import flow_table, latest_times
from tcpkit.pipeline import Pipeline
from tcpkit.table import Table
from tcpkit.trackers import StreamRecords
from tcpkit.values import EARLIEST, Array, Mask

OVER = (TcpState.CLOSED, TcpState.LISTEN)
OF_A_FLOW = ("stream", "client", "client_port", "server", "server_port", "client_state", "server_state", "start",
             "initial_rtt", "rtt_mean_client", "rtt_mean_server", "retransmissions_client", "retransmissions_server",
             "packets_client", "packets_server", "payload_bytes_client", "payload_bytes_server", "outcome", "closer")
SUMMARY = ("stream", "client", "client_port", "server", "server_port", "client_state", "server_state", "age", "idle",
           "initial_rtt", "rtt_mean_client", "rtt_mean_server", "retransmissions_client", "retransmissions_server")
MEANINGS = {"client_state": "state of the client", "server_state": "state of the server"}


def _columns() -> tuple[Column, ...]:
    columns = {column.name: column for column in FLOWS.columns}
    kept = [columns[name]._replace(doc=MEANINGS.get(name, columns[name].doc)) for name in OF_A_FLOW]
    since = [Column(name, "", name, Kind.SECONDS, doc, unit="ns", stage="flows")
             for name, doc in (("age", "since the first frame"), ("idle", "since the last frame"))]
    place = OF_A_FLOW.index("start") + 1
    return (*kept[:place], *since, *kept[place:])


STATES = Schema("states", _columns(), SUMMARY)


def state_table(streams: StreamRecords, now_ns: int, time_wait_ns: int) -> Table:
    """Those of the streams that live at ``now_ns``; needs what the lifecycle stage holds of them."""
    flows = flow_table(streams).array
    age, idle = (np.maximum(now_ns - times, 0) for times in (streams.flows["first_ns"], latest_times(streams.flows)))
    living = ~(_over(flows["client_state"], idle, time_wait_ns) & _over(flows["server_state"], idle, time_wait_ns))
    living &= streams.flows["evicted"] == 0
    fields = {name: flows[name] for name in flows.dtype.names or ()} | {"age": age, "idle": idle}
    return Table(join({name: values[living] for name, values in fields.items()}), STATES)


def states_at_end(done: Pipeline) -> Iterator[Table]:
    """Those of a pass that is over, at the time of the capture's latest segment, in pieces."""
    end = max(int(latest_times(streams.flows).max(initial=EARLIEST)) for streams in done.stream_records())
    for streams in done.stream_records():
        yield state_table(streams, end, done.time_wait_ns)


def _over(state: Array, idle: Array, time_wait_ns: int) -> Mask:
    """TIME-WAIT ends without a segment that would say so."""
    ended: Mask = np.isin(state, OVER) | ((state == TcpState.TIME_WAIT) & (idle >= time_wait_ns))
    return ended
