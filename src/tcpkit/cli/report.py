"""``report``: a capture on one page."""
from __future__ import annotations

from typing import Annotated

import typer

from tcpkit.cli.app import MEMORY, SEVERAL_TIMES, CaptureFilterOption, MemoryLimitOption, OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading

FileArgument = Annotated[str, typer.Argument(metavar="FILE", help=f"{SEVERAL_TIMES}.")]


@app.command()
def report(file: FileArgument, output: OutputOption = None, capture_filter: CaptureFilterOption = "",
           memory_limit: MemoryLimitOption = MEMORY) -> None:
    """Write a page (HTML) on a capture: what it is, how its connections fared, which of them deserve a look."""
    from tcpkit.report import report_html

    if file == "-":
        raise typer.BadParameter("the capture is read several times, and standard input can be only once",
                                 param_hint="FILE")
    with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit) as capture:
        page = report_html(capture)
        with opened(output) as out:
            out.write(page.encode())
