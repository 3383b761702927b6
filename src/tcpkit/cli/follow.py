"""``follow``: what was said on one stream, or on all."""
from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tcpkit.cli.app import STREAM, CaptureArgument, CaptureFilterOption, app, destination
from tcpkit.cli.output import opened
from tcpkit.cli.reading import reading
from tcpkit.cli.stdout import need_no_terminal, takes_colour
from tcpkit.text import counted, one_line

OUTPUT = typer.Option("--output", "-o", metavar="PATH", parser=destination,
                      help="Write to this file, or with --all into this directory.")


class Show(StrEnum):
    text = "text"
    hex = "hex"
    raw = "raw"
    tshark = "tshark"
    parts = "parts"


def show_option(show: Show, text: str) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(f"--{show}", help=text)
    return option


@app.command()
def follow(
    file: CaptureArgument,
    stream: Annotated[int | None, STREAM] = None,
    client: Annotated[bool, typer.Option("--client", help="Only what the client sent.")] = False,
    server: Annotated[bool, typer.Option("--server", help="Only what the server sent.")] = False,
    text: Annotated[bool, show_option(Show.text, "Letters, other bytes as dots (the default).")] = False,
    hexadecimal: Annotated[bool, show_option(Show.hex, "Offsets, bytes and letters.")] = False,
    raw: Annotated[bool, show_option(Show.raw, "The bytes themselves.")] = False,
    tshark: Annotated[bool, show_option(Show.tshark, "The report of tshark -q -z follow,tcp,raw,STREAM.")] = False,
    parts: Annotated[bool, show_option(Show.parts, "Not the bytes, but which frame carries which of them.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Write each direction of each stream to a file.")] = False,
    output: Annotated[Path | None, OUTPUT] = None,
    capture_filter: CaptureFilterOption = "",
) -> None:
    """Show the bytes of a stream, both directions as they alternate; bytes that were not captured are named."""
    shows = [show for show, chosen in zip(Show, (text, hexadecimal, raw, tshark, parts), strict=True) if chosen]
    if len(shows) > 1 or (client and server):
        raise typer.BadParameter("choose one way to show the bytes, and one direction or both")
    if tshark and (client or server):
        raise typer.BadParameter("the report has both directions", param_hint="--tshark")
    if raw and output is None:
        need_no_terminal("raw bytes", "--raw")
    if every != (stream is None) or (every and (output is None or shows or client or server)):
        raise typer.BadParameter("give a STREAM, or --all and -o DIRECTORY")
    if every:
        assert output
        write_all(file, output, capture_filter)
    else:
        assert stream is not None
        side = (client and "client") or (server and "server") or ""
        if parts:
            show_parts(file, stream, side, output, capture_filter)
        else:
            show_stream(file, stream, side, shows[0] if shows else Show.text, output, capture_filter)


def show_stream(file: str, stream: int, side: str, show: Show, output: Path | None, capture_filter: str) -> None:
    from tcpkit.follow import Conversation, as_hex, as_text

    with reading(file, output, streaming=output is None, capture_filter=capture_filter) as capture:
        conversation = Conversation(capture, stream)
        parts = (part for part in conversation if not side or part.from_client == (side == "client"))
        colour = output is None and takes_colour()
        ways = {Show.text: as_text, Show.hex: as_hex}
        with opened(output) as out:
            lines = (conversation.report() if show == Show.tshark else
                     (part.data for part in parts) if show == Show.raw else ways[show](parts, colour))
            for line in lines:
                if conversation.ends is None:
                    break
                out.write(line)
            if conversation.ends is None:
                raise typer.BadParameter(f"there is no stream {stream}", param_hint="STREAM")


def show_parts(file: str, stream: int, side: str, output: Path | None, capture_filter: str) -> None:
    from tcpkit.stream_parts import part_lines
    from tcpkit.stream_scan import StreamScan

    with reading(file, output, streaming=output is None, capture_filter=capture_filter, stages=("flows",)) as capture:
        try:
            lines = part_lines(StreamScan(capture), stream, side)
            with opened(output) as out:
                for line in lines:
                    out.write(line)
        except IndexError as error:
            raise typer.BadParameter(str(error), param_hint="STREAM") from error


def write_all(file: str, directory: Path, capture_filter: str) -> None:
    from tcpkit.stream_files import StreamFiles
    from tcpkit.stream_scan import StreamScan

    with reading(file, capture_filter=capture_filter, stages=("flows",)) as capture:
        scan = StreamScan(capture)
        files = StreamFiles(directory)           # last: a wrong capture or filter leaves no directory behind
        files.write(scan)
    missing = f", {counted(files.missing, 'byte')} missing in the capture" if files.missing else ""
    print(f"tcpkit: {counted(files.files, 'file')} in {one_line(str(directory))}{missing}", file=sys.stderr)
