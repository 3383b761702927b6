"""Writes docs/commands.md from the commands' own help: ``python tools/commands_doc.py``."""
from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import typer.main

from tcpkit.cli import MODULES
from tcpkit.cli.app import app

TARGET = Path(__file__).parents[1] / "docs" / "commands.md"
INTRODUCTION = """\
# Commands

Written by `tools/commands_doc.py` from the commands' own help; not to be edited by hand.

A FILE is a capture (pcap or pcapng, also compressed), a directory or a quoted glob pattern of captures, which are then
read as one in order of time, a URL, or, but for `report`, `-` for standard input. `export` and `compare` take several,
each by itself: files only, and `export` also directories. Tables come as aligned text (`table`; wide ones are best read
with `| less -S`), `csv`, `json` (one array), `jsonl` (an object a line) or `parquet`; [columns.md](columns.md) explains
their columns. `-` as the output is standard output.

Exit status: 0 done; 1 done as far as it went (the capture is damaged or cut short, Ctrl-C, the reader of the output
has gone), the reason on standard error; 2 not done; 143 as far as it went until SIGTERM. `tcpkit compare` ends with 1
also if anything differs.
"""


def main() -> None:
    TARGET.write_text(document())


def document() -> str:
    for module in MODULES:
        importlib.import_module(f"tcpkit.cli.{module}")
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    modules = [f"tcpkit.cli.{module}" for module in MODULES]       # in this order, whichever was imported first
    told = sorted(commands.items(), key=lambda item: modules.index(item[1].callback.__module__))
    return INTRODUCTION + "".join(section(name, command) for name, command in told)


def section(name: str, command: Any) -> str:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and not getattr(each, "hidden", 0)]
    usage = " ".join([name, "[OPTION…]", *(each.metavar or each.name.upper() for each in arguments)])
    rows = [[f"`{each.metavar or each.name.upper()}`", each.help] for each in arguments]
    rows += [[", ".join(f"`{flag}`" for flag in each.opts) + value_of(each), each.help]
             for each in options]
    table = "".join(f"| {cell} | {one_line(text)} |\n" for cell, text in [["", ""], ["---", "---"], *rows])
    return f"\n## tcpkit {name}\n\n`tcpkit {usage}`\n\n{command.help.strip()}\n\n{table}"


def value_of(option: Any) -> str:
    """What stands for the option's value."""
    value = option.metavar or "|".join(getattr(option.type, "choices", ()))
    return f" `{value}`".replace("|", "\\|") if value else ""


def one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    main()
