"""``plot``: graphs of one connection."""
from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tcpkit.cli.app import CaptureArgument, app
from tcpkit.cli.reading import reading


class Graph(StrEnum):
    sequence = "sequence"
    rtt = "rtt"
    throughput = "throughput"
    window = "window"


class Sender(StrEnum):
    client = "client"
    server = "server"


OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", show_default=False,
                                            help="Draw into this file: .svg, .png or .pdf.")]
GraphOption = Annotated[Graph, typer.Option("--graph", "-g", help="What to draw: sequence, rtt, throughput or window.")]
SenderOption = Annotated[Sender | None, typer.Option("--sender", show_default="the one that sent more bytes",
                                                     help="Whose segments: client or server.")]


@app.command()
def plot(file: CaptureArgument, stream: Annotated[int, typer.Argument(metavar="STREAM", min=0,
                                                                      help="Number of the connection.")],
         output: OutputOption, graph: GraphOption = Graph.sequence, sender: SenderOption = None) -> None:
    """Draw a connection over time: sequence numbers with verdicts, round trips, throughput or windows."""
    from tcpkit.graphs import draw_stream, new_figure

    figure = new_figure()
    with reading(file) as capture:
        try:
            draw_stream(capture, stream, graph.value, sender=sender.value if sender else None, axes=figure.subplots())
            figure.savefig(output)
        except (IndexError, ValueError) as error:
            raise typer.BadParameter(str(error)) from error
