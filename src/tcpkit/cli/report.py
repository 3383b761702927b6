"""``report``: a capture on one page."""
from __future__ import annotations

from tcpkit.cli.app import MEMORY, CaptureArgument, CaptureFilterOption, MemoryLimitOption, OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading


@app.command()
def report(file: CaptureArgument, output: OutputOption = None, capture_filter: CaptureFilterOption = "",
           memory_limit: MemoryLimitOption = MEMORY) -> None:
    """Write a page (HTML) on a capture: what it is, how its connections fared, which of them deserve a look."""
    from tcpkit.report import report_html

    with reading(file, output, capture_filter=capture_filter, memory_limit=memory_limit) as capture:
        page = report_html(capture)
        with opened(output) as out:
            out.write(page.encode())
