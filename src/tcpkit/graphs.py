"""A connection over time, drawn with matplotlib: sequence numbers, round trips, throughput, windows."""
from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import numpy as np

from tcpcore.flags import AnalysisPresent, Damage, Present, SegmentKind, TcpFlag
from tcpkit.columns import ENDS
from tcpkit.connection import Connection, read_connection
from tcpkit.convert import need
from tcpkit.graph_names import End, GraphName
from tcpkit.text import endpoint
from tcpkit.values import Array
from tcpkit.verdict_columns import KIND_WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tcpkit.capture import Capture

GRAPHS: tuple[GraphName, ...] = get_args(GraphName)
FEW, MANY = 10, 100              # intervals that throughput is averaged over
FINEST = 2000                    # parts of the time that can be told apart: of longer connections new bytes are one bar
COLORS = {SegmentKind.KIND_NEW: "#2563eb", SegmentKind.KIND_REORDERED: "#f59e0b",
          SegmentKind.KIND_RETRANSMISSION: "#dc2626", SegmentKind.KIND_NETWORK_DUPLICATE: "#a855f7",
          SegmentKind.KIND_PROBE: "#0e7490", SegmentKind.KIND_UNDETERMINED: "#64748b"}
ACKED, WINDOW = "#16a34a", "#94a3b8"


def new_figure() -> Figure:
    """Of the size that graphs are made for; it belongs to no window."""
    figure: Figure = need("matplotlib.figure", "plot").Figure(figsize=(11, 6), layout="constrained")
    return figure


def draw_stream(capture: Capture, stream: int, graph: GraphName = "sequence", *, sender: End | None = None,
                axes: Axes | None = None) -> Axes:
    """Draw what one end of a connection sent, and how the other answered; by default the end that sent more bytes.

    "sequence": what each segment covered, coloured by its verdict, with the acknowledgements and the end of the
    receiver's window; "rtt": tshark's round trips (AK-1) in milliseconds; "throughput": bytes a second, sent and
    newly acknowledged, averaged over a hundredth of the time or more; "window": bytes in flight (BF-2) below the
    receiver's window (WN-1).  Times are seconds since the connection's first frame.  Into ``axes``, or new ones.
    Needs matplotlib.  IndexError if there is no such stream; ValueError for another graph or sender, and for a
    throughput without any time.
    """
    if graph not in GRAPHS:
        raise ValueError(f"graph must be one of {', '.join(GRAPHS)}, not {graph!r}")
    if sender not in (None, *ENDS):
        raise ValueError(f"sender must be one of {', '.join(ENDS)}, not {sender!r}")
    connection = read_connection(capture, stream)
    if axes is None:
        axes = new_figure().subplots()
    sender = sender or _busier(connection.flow)
    sent, answers = _both_ways(connection, sender)
    {"sequence": _sequence, "rtt": _round_trips, "throughput": _throughput, "window": _window}[graph](
        axes, sent, answers)
    receiver = "server" if sender == "client" else "client"
    flow = connection.flow
    ends = " → ".join(endpoint(flow[end], flow[f"{end}_port"]) for end in (sender, receiver))
    axes.set_title(f"Stream {stream}: {ends}", parse_math=False)
    axes.set_xlabel("seconds since the connection's first frame")
    if graph != "rtt":
        axes.yaxis.set_major_formatter(need("matplotlib.ticker", "plot").EngFormatter())
    if axes.get_legend_handles_labels()[1]:
        axes.legend()
    return axes


def _busier(flow: dict[str, int]) -> End:
    return "client" if flow["payload_bytes_client"] > flow["payload_bytes_server"] else "server"


def _both_ways(connection: Connection, sender: End) -> tuple[Array, Array]:
    """What the sender sent that has its numbers and length, and what the other end sent that acknowledges."""
    rows = connection.rows
    whole = ((rows["present"] & Present.HAS_LEN) != 0) & ((rows["damage"] & Damage.QUOTED) == 0)
    by_sender = (rows["direction"] == connection.client) == (sender == "client")
    acknowledges = (rows["flags"] & (TcpFlag.ACK | TcpFlag.RST)) == TcpFlag.ACK
    return rows[whole & by_sender], rows[whole & ~by_sender & acknowledges]


def _seconds(rows: Array) -> Array:
    return rows["time_relative"] / 1e9


def _lengths(rows: Array) -> Array:
    """In sequence numbers: SYN and FIN take one each."""
    syn, fin = ((rows["flags"] & flag) != 0 for flag in (TcpFlag.SYN, TcpFlag.FIN))
    taken: Array = rows["payload_len"].astype(np.int64) + syn + fin
    return taken


def _together(times: Array, start: Array, end: Array) -> tuple[Array, Array, Array]:
    """One bar for those that nobody could tell apart."""
    if len(times) <= FINEST or times.max() <= times.min():
        return times, start, end
    parts = ((times - times.min()) / (times.max() - times.min()) * FINEST).astype(np.int64)
    first = np.flatnonzero(np.diff(parts, prepend=-1))
    return times[first], np.minimum.reduceat(start, first), np.maximum.reduceat(end, first)


def _from_zero(axes: Axes) -> None:
    """With room above the highest value: the margins of values that are alike are next to nothing."""
    highest = axes.dataLim.y1
    axes.set_ylim(0, highest * 1.05 if highest > 0 else None)


def _sequence(axes: Axes, sent: Array, answers: Array) -> None:
    start, end = sent["seq64"], sent["seq64"] + _lengths(sent)
    for kind, color in COLORS.items():
        chosen = sent["kind"] == kind
        if chosen.any():
            word = KIND_WORDS[kind].replace("_", " ")
            bars = _seconds(sent)[chosen], start[chosen], end[chosen]
            axes.vlines(*(_together(*bars) if kind == SegmentKind.KIND_NEW else bars), color=color, linewidth=1.5,
                        label=f"{word} ({np.count_nonzero(chosen):,})")
            if kind != SegmentKind.KIND_NEW:
                axes.plot(_seconds(sent)[chosen], start[chosen], ".", color=color, zorder=3)
    if len(answers):
        axes.step(_seconds(answers), answers["ack64"], where="post", color=ACKED, linewidth=1, label="acknowledged")
        limit = answers["ack64"] + answers["window_size"].astype(np.int64)
        axes.step(_seconds(answers), limit, where="post", color=WINDOW, linewidth=1, label="window")
    if len(sent):                # a wide window must not press what was sent against the axis
        low, high = int(start.min()), int(end.max())
        axes.set_ylim(low - (high - low) * 0.05 - 1, high + (high - low) * 0.3 + 1)
    axes.set_ylabel("sequence number, relative")


def _round_trips(axes: Axes, sent: Array, answers: Array) -> None:
    measured = answers[(answers["analysis_present"] & AnalysisPresent.HAS_ACK_RTT) != 0]
    axes.plot(_seconds(measured), measured["ack_rtt"] / 1e6, ".", markersize=4)
    _from_zero(axes)
    axes.set_ylabel("milliseconds until the acknowledgement")


def _throughput(axes: Axes, sent: Array, answers: Array) -> None:
    times = np.concatenate([_seconds(sent), _seconds(answers)])
    if not len(times) or times.max() <= times.min():
        raise ValueError("there is no throughput of what takes no time")
    edges = np.linspace(times.min(), times.max(), int(np.clip(len(times) // FEW, FEW, MANY)) + 1)
    highest = np.maximum.accumulate(answers["ack64"])
    progress = np.diff(highest, prepend=highest[:1])
    for label, rows, sizes in (("sent", sent, sent["payload_len"]), ("newly acknowledged", answers, progress)):
        total, _ = np.histogram(_seconds(rows), edges, weights=sizes)
        axes.stairs(total / np.diff(edges), edges, label=label)
    _from_zero(axes)
    axes.set_ylabel("bytes a second")


def _window(axes: Axes, sent: Array, answers: Array) -> None:
    flying = sent[(sent["analysis_present"] & AnalysisPresent.HAS_BYTES_IN_FLIGHT) != 0]
    axes.plot(_seconds(flying), flying["bytes_in_flight"], ".", markersize=4, label="bytes in flight")
    axes.step(_seconds(answers), answers["window_size"], where="post", color=WINDOW, label="receiver's window")
    _from_zero(axes)
    axes.set_ylabel("bytes")
