"""``filter``: some of the frames of a capture, as a capture."""
from __future__ import annotations

import sys
from typing import Annotated

import typer

from tcpkit.cli.app import LAST_STREAM, CaptureArgument, CaptureFilterOption, app
from tcpkit.cli.reading import reading
from tcpkit.cli.stdout import need_no_terminal
from tcpkit.text import counted

Target = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The capture to write: pcapng if its "
                                     "name ends so, else pcap; - for standard output.")]
Where = Annotated[str, typer.Option("--where", "-Y", metavar="FILTER",
                                    help="Only frames with TCP that this display filter selects.")]
Streams = Annotated[list[int] | None, typer.Option("--stream", metavar="N", min=0, max=LAST_STREAM,
                                                   help="Only frames of this connection; repeat for more.")]


@app.command("filter")
def filter_frames(file: CaptureArgument, output: Target, capture_filter: CaptureFilterOption = "", where: Where = "",
                  streams: Streams = None) -> None:
    """Write the frames that are selected to another capture file, their times and link types intact."""
    if output == "-":
        need_no_terminal("the bytes of a capture", "--output")
    with reading(file, capture_filter=capture_filter) as capture:
        try:
            frames = capture.write(output, where=where, streams=streams or None)
        except IndexError as error:
            raise typer.BadParameter(str(error), param_hint="--stream") from error
        print(f"tcpkit: {counted(frames, 'frame')} written", file=sys.stderr)
