"""``fields``: chosen fields of each frame with TCP, as tshark's ``-T fields``."""
from __future__ import annotations

from typing import Annotated

import typer

from tcpkit.cli.app import (
    CAPTURE,
    MEMORY,
    CaptureFilterOption,
    FollowOption,
    IdleTimeoutOption,
    MemoryLimitOption,
    OutputOption,
    WhereOption,
    app,
)
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading

LIST = typer.Option("--list", help="List the fields that can be chosen.", is_eager=True)


@app.command()
def fields(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help=CAPTURE)] = None,
    names: Annotated[list[str] | None, typer.Option("-e", metavar="NAME", help="A field; repeat for more.")] = None,
    capture_filter: CaptureFilterOption = "",
    memory_limit: MemoryLimitOption = MEMORY, idle_timeout: IdleTimeoutOption = 0.0,
    where: WhereOption = "",
    follow: FollowOption = False,
    list_fields: Annotated[bool, LIST] = False,
    output: OutputOption = None,
) -> None:
    """Print fields of each frame with TCP, tab-separated below a header line, exactly as tshark -T fields."""
    from tcpkit.listing import field_list, write_fields

    if list_fields:
        with opened(output) as out:
            out.write(field_list())
        return
    if file is None or not names:
        raise typer.BadParameter("give a FILE and at least one -e NAME, or --list")
    with reading(file, output, streaming=True, follow=follow, capture_filter=capture_filter,
                 memory_limit=memory_limit, idle_timeout=idle_timeout) as capture, opened(output) as out:
        write_fields(capture, names, out, where)
