"""``explain``: one connection as a ladder."""
from __future__ import annotations

from typing import Annotated

import typer

from tcpkit.cli.app import STREAM, CaptureArgument, CaptureFilterOption, app, destination
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading

SvgOption = Annotated[str, typer.Option("--svg", metavar="FILE", show_default=False,
                                        help="Draw it into this file instead; - for standard output.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every segment, with nothing folded.")]


@app.command()
def explain(file: CaptureArgument, stream: Annotated[int, STREAM], svg: SvgOption = "",
            everything: AllOption = False, capture_filter: CaptureFilterOption = "") -> None:
    """Draw a connection as a ladder: its segments, the states of both ends, and what stands out."""
    from rich.console import Console

    from tcpkit.ladder import build_ladder
    from tcpkit.ladder_svg import ladder_svg
    from tcpkit.ladder_text import ladder_lines

    output = destination(svg) if svg else None
    with reading(file, output, capture_filter=capture_filter) as capture:
        try:
            ladder = build_ladder(capture, stream, everything=everything)
        except IndexError as error:
            raise typer.BadParameter(str(error), param_hint="STREAM") from error
        with opened(output) as out:
            if svg:
                out.write(ladder_svg(ladder).encode())
                return
            console = Console(highlight=False, soft_wrap=True)
            for line in ladder_lines(ladder, console.width):
                console.print(line)
