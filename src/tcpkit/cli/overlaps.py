"""``overlaps``: copies of the same bytes that differ."""
from __future__ import annotations

from typing import Annotated

import typer

from tcpkit.cli.app import CaptureArgument, CaptureFilterOption, OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading

EVASIONS = typer.Option("--evasions", help="Only those that hosts read differently.")


@app.command()
def overlaps(file: CaptureArgument, evasions: Annotated[bool, EVASIONS] = False,
             capture_filter: CaptureFilterOption = "", output: OutputOption = None) -> None:
    """List bytes that were sent twice with different content, and which hosts read which version."""
    from tcpkit.overlaps import differences

    with reading(file, capture_filter=capture_filter) as capture, opened(output) as out:
        for found in differences(capture.streams):
            if evasions and not found.evades:
                continue
            lines = [f"stream {found.stream} {found.side}, {len(found.kept)} bytes at {found.offset}: "
                     f"frame {found.frame} {found.kept!r}, frame {found.other_frame} {found.other!r}"]
            lines += [f"  {version!r}: {', '.join(policies)}" for version, policies in found.policies.items()
                      if found.evades]
            out.write("".join(f"{line}\n" for line in lines).encode())
