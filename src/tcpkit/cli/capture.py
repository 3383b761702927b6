"""Live capture: ``capture`` and ``interfaces``."""
from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tcpkit.budget import checked_duration
from tcpkit.cli.app import (
    CaptureFilterOption,
    ColumnsOption,
    Format,
    FormatOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    WhereOption,
    app,
    checked_by,
)
from tcpkit.cli.output import named, write_as_they_come
from tcpkit.cli.reading import Watch, read_size
from tcpkit.cli.stdout import discard_output, need_no_terminal
from tcpkit.text import counted, one_line

if TYPE_CHECKING:
    from tcpkit.capture_writer import Ring
    from tcpkit.live_capture import LiveCapture
    from tcpkit.table import Table

LIVE_MEMORY = "512M"               # tcpkit.live_capture.MEMORY
UNITS = {"": 1, "k": 1 << 10, "M": 1 << 20, "G": 1 << 30}

InterfaceOption = Annotated[str, typer.Option("--interface", "-i", metavar="NAME", show_default=False,
                                              help="Where to capture: one of `tcpkit interfaces`.")]
WriteOption = Annotated[str, typer.Option(
    "--write", "-w", metavar="FILE", help="Also write every frame here; - for standard output, what is listed goes to "
                                          "standard error then.")]
RingOption = Annotated[str, typer.Option(
    metavar="FILES:SIZE", help="Rotate what is written: keep this many files of this size, such as 10:100M, of a "
                               "time, such as 24:3600s, or both, 24:100M:3600s. With 0 files all are kept.")]
CountOption = Annotated[int, typer.Option("--count", "-c", metavar="N", min=0, max=sys.maxsize, show_default=False,
                                          help="Stop after this many frames; without it, at Ctrl-C.")]
DurationOption = Annotated[float, typer.Option(
    metavar="SECONDS", callback=checked_by(checked_duration), show_default=False,
    help="Stop after this many seconds; without it, at Ctrl-C.")]
SnaplenOption = Annotated[int, typer.Option(metavar="BYTES", min=14, max=262_144,
                                            help="Write at most this many bytes of a frame.")]
BufferOption = Annotated[int, typer.Option("--buffer", "-B", metavar="MIB", min=1, max=2047,
                                           help="The kernel's buffer, in MiB.")]
FanoutOption = Annotated[int, typer.Option(
    metavar="N", min=0, max=65535, show_default=False,
    help="Captures with the same number share the connections of the interface, to use several cores.")]
PacketsOption = Annotated[bool, typer.Option("--packets", help="List segments; also without it if -Y selects some, or "
                                                               "the output is no terminal and no file is written.")]
FlowsOption = Annotated[bool, typer.Option("--flows", help="List connections as they end, and at the end the others.")]


@app.command()
def capture(interface: InterfaceOption, capture_filter: CaptureFilterOption = "", where: WhereOption = "",
            write: WriteOption = "", ring: RingOption = "", count: CountOption = 0, duration: DurationOption = 0.0,
            snaplen: SnaplenOption = 262_144, buffer: BufferOption = 64, memory_limit: MemoryLimitOption = LIVE_MEMORY,
            idle_timeout: IdleTimeoutOption = 0.0, packets: PacketsOption = False, flows: FlowsOption = False,
            fanout: FanoutOption = 0, columns: ColumnsOption = "", form: FormatOption = Format.table) -> None:
    """Capture from an interface: on a terminal connections as they live, elsewhere segments or only a file."""
    if ring and not write:
        raise typer.BadParameter("says how files are rotated; name them with -w", param_hint="--ring")
    if ring and write == "-":
        raise typer.BadParameter("standard output cannot be rotated", param_hint="--ring")
    if write == "-":
        need_no_terminal("the bytes of a capture", "--write")
    for option, given in (("--columns", bool(columns)), ("--format", form != Format.table)):
        if given and not flows:
            raise typer.BadParameter("is for the list of connections: give --flows too", param_hint=option)
    if packets and flows:
        raise typer.BadParameter("list segments or connections, not both", param_hint="--packets, --flows")
    from tcpkit.connection_tables import check_filter
    from tcpkit.flow_columns import FLOWS

    names = named(columns, FLOWS)
    if flows:
        check_filter(where, FLOWS)
    packets = packets or bool(where)               # what it selects is to be seen
    only_write = bool(write) and not (flows or packets or sys.stdout.isatty())
    with session(interface, capture_filter=capture_filter, where="" if flows else where, write=write, count=count,
                 ring=rotation(ring) if ring else None, duration=duration, snaplen=snaplen, buffer_size=buffer << 20,
                 memory_limit=read_size(memory_limit), idle_timeout=idle_timeout, fanout=fanout,
                 analyse=not only_write) as live, redirect_stdout(sys.stderr if write == "-" else sys.stdout):
        if only_write:
            live.pipeline.run()
        elif flows:
            list_flows(live, where, form, names)
        elif packets or not sys.stdout.isatty():
            list_packets(live)
        else:
            watch_connections(live, interface)


@app.command()
def interfaces() -> None:
    """The interfaces that can be captured from."""
    from tcpkit.interface_reader import interface_names

    for name in interface_names():
        print(one_line(name))


@contextmanager
def session(interface: str, **options: Any) -> Iterator[LiveCapture]:
    """A capture until Ctrl-C, SIGTERM, or nobody reads the output any more; then what came of it is told."""
    from tcpkit.live_capture import LiveCapture

    with Watch(bar=False, live=True) as watch, LiveCapture(interface, observer=watch.observe, **options) as live:
        try:
            yield live
        except BrokenPipeError:
            discard_output()
    tell_end(live, options.get("capture_filter", ""))


def rotation(text: str) -> Ring:
    """FILES:SIZE, FILES:SECONDSs or FILES:SIZE:SECONDSs."""
    from tcpkit.capture_writer import Ring

    found = re.fullmatch(r"(\d+)(?::(\d+)([kMG]?))?(?::(\d+)s)?", text)
    if not found or not (found[2] or found[4]):
        raise typer.BadParameter(f"{text!r} is not FILES:SIZE such as 10:100M, or 24:3600s", param_hint="--ring")
    return Ring(int(found[1]), int(found[2] or 0) * UNITS[found[3] or ""], int(found[4] or 0))


def list_packets(live: LiveCapture) -> None:
    from tcpkit.listing import lines_of

    for lines in lines_of(live.pipeline, settled=False):
        sys.stdout.buffer.write(lines)
        sys.stdout.buffer.flush()


def list_flows(live: LiveCapture, where: str, form: Format, columns: list[str] | None) -> None:
    from tcpkit.connection_tables import rows_of

    def tables() -> Iterator[Table]:
        for _ in live.pipeline:
            if live.n_finished:
                yield live.finished
        yield live.unfinished

    write_as_they_come((rows_of(table, where) for table in tables()), form, columns)


def watch_connections(live: LiveCapture, interface: str) -> None:
    from tcpkit.live_view import LiveView

    with LiveView(live, interface) as view:
        for batch in live.pipeline:
            view.update(batch)


def tell_end(live: LiveCapture, capture_filter: str) -> None:
    """What was captured, what was lost, and where it was written; status 1 if a failure ended it."""
    counts = live.statistics
    report = [f"{counted(live.n_frames, 'frame')} captured, {counts.dropped:,} dropped by the kernel, "
              f"{counts.dropped_by_interface:,} dropped by the interface"]
    if not live.n_frames:
        report.append(f'no frame passed the filter "{capture_filter}"' if capture_filter else
                      "nothing came: is this the interface? `tcpkit interfaces` lists them")
    if live.writer:
        files = ", ".join(str(path) for path in live.writer.files)
        report.append(f"{counted(live.writer.frames, 'frame')} written to {files}")
    for line in (*report, *map(str, live.warnings)):
        print(f"tcpkit: {one_line(line)}", file=sys.stderr)
    if live.warnings:
        raise typer.Exit(1)
