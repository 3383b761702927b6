"""``plot``: graphs of one connection."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tcpkit.cli.app import STREAM, CaptureArgument, CaptureFilterOption, app
from tcpkit.cli.reading import reading
from tcpkit.graph_names import End, GraphName

ENDINGS = (".svg", ".png", ".pdf")


def picture(path: str) -> Path:
    """A file whose name says what it is to be."""
    if Path(path).suffix.lower() not in ENDINGS:
        raise typer.BadParameter(f'"{path}" does not end in .svg, .png or .pdf')
    return Path(path)


OutputOption = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", show_default=False, parser=picture,
                                            help="Draw into this file: .svg, .png or .pdf.")]
GraphOption = Annotated[GraphName, typer.Option("--graph", "-g", help="What to draw.")]
SenderOption = Annotated[End | None, typer.Option("--sender", help="Whose segments.",
                                                  show_default="the one that sent more bytes")]


@app.command()
def plot(file: CaptureArgument, stream: Annotated[int, STREAM], output: OutputOption, graph: GraphOption = "sequence",
         sender: SenderOption = None, capture_filter: CaptureFilterOption = "") -> None:
    """Draw a connection over time: sequence numbers with verdicts, round trips, throughput or windows."""
    from tcpkit.graphs import draw_stream, new_figure

    figure = new_figure()
    with reading(file, output, capture_filter=capture_filter) as capture:
        try:
            draw_stream(capture, stream, graph, sender=sender, axes=figure.subplots())
            figure.savefig(output)
        except IndexError as error:
            raise typer.BadParameter(str(error), param_hint="STREAM") from error
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error
