"""``explain``: one connection as a ladder."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tcpkit.cli.app import STREAM, CaptureArgument, CaptureFilterOption, app
from tcpkit.cli.reading import reading

SvgOption = Annotated[Path | None, typer.Option("--svg", metavar="FILE", help="Draw it into this file instead.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every segment, with nothing folded.")]


@app.command()
def explain(file: CaptureArgument, stream: Annotated[int, STREAM], svg: SvgOption = None,
            everything: AllOption = False, capture_filter: CaptureFilterOption = "") -> None:
    """Draw a connection as a ladder: its segments, the states of both ends, and what stands out."""
    from rich.console import Console

    from tcpkit.ladder import build_ladder
    from tcpkit.ladder_svg import ladder_svg
    from tcpkit.ladder_text import ladder_lines

    with reading(file, capture_filter=capture_filter) as capture:
        try:
            ladder = build_ladder(capture, stream, everything=everything)
        except IndexError as error:
            raise typer.BadParameter(str(error), param_hint="STREAM") from error
        if svg:
            svg.write_text(ladder_svg(ladder), encoding="utf-8")
            return
        console = Console(highlight=False, soft_wrap=True)
        for line in ladder_lines(ladder, console.width):
            console.print(line)
