"""``compare``: tcpkit beside the installed tshark on one's own captures."""
from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tcpkit.cli.app import OutputOption, app
from tcpkit.cli.output import opened
from tcpkit.cli.reading import unwinding
from tcpkit.text import counted, one_line

if TYPE_CHECKING:
    from tcpkit.compare import Comparison, Run


class Form(StrEnum):
    """How the comparison is written."""

    table = "table"
    json = "json"


Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Capture files.", exists=True, dir_okay=False)]
Names = Annotated[list[str] | None, typer.Option("-e", metavar="NAME", help="A field to compare; repeat for more; "
                                                 "else every field that both programs know.")]
FormOption = Annotated[Form, typer.Option("--format", metavar="FORMAT", help="table or json.")]


@app.command()
def compare(files: Files, names: Names = None, form: FormOption = Form.table, output: OutputOption = None) -> None:
    """Run tshark and tcpkit on the same captures: agreement of every field, times and memory.

    Status 0 if every cell of every capture agrees, else 1, also where a program crashed: the rest of that capture is
    not compared.  A capture that cannot be compared is named, and does not keep the others.  Rows at which tshark's own
    assertions failed are told apart, and not compared.
    """
    from tcpkit.compare import CompareError, TsharkError
    from tcpkit.compare import compare as compare_capture
    from tcpkit.fields import contract_names, find_fields

    theirs = contract_names(own=False)
    fields = find_fields(names) if names else theirs
    for name in fields:
        if name not in theirs:
            raise typer.BadParameter(f'tshark has no "{name}"', param_hint="-e")
    results = []
    with unwinding():
        for file in files:
            try:
                results.append(compare_capture(file, fields))
            except TsharkError as error:                     # as with any other capture
                complain(error)
                break
            except CompareError as error:
                complain(f"{file}: {error}")
    if not results:
        raise typer.Exit(2)
    with opened(output) as out:
        if form == Form.json:
            out.write(f"{json.dumps([each.to_dict() for each in results], indent=2)}\n".encode())
        else:
            out.write("\n".join(map(summary, results)).encode())
    if len(results) < len(files) or not all(each.equal and each.complete for each in results):
        raise typer.Exit(1)


def complain(of: object) -> None:
    print(f"tcpkit: {one_line(str(of))}", file=sys.stderr)


def summary(result: Comparison) -> str:
    """One capture's account: agreement, the fields that differ, the first differences, cost."""
    from tcpkit.compare import ORACLE, is_oracle
    from tcpkit.grid import grid

    cells = sum(field.cells for field in result.fields.values())
    equal = sum(field.equal for field in result.fields.values())
    lines = [one_line(result.path), f"  rows: {result.rows:,} compared, {result.missing:,} only tshark's, "
             f"{result.extra:,} only tcpkit's",
             f"  cells: {equal:,} of {cells:,} agree ({share(equal, cells)})"]
    if result.version and not is_oracle(result.version):
        lines.append(f"  tcpkit answers as tshark {ORACLE} does, this is {result.version}: what differs may be what "
                     "its makers changed")
    lines += failures(result)
    different = [[name, f"{field.cells - field.equal:,}", share(field.equal, field.cells),
                  share(field.set_equal, field.set_cells)]
                 for name, field in result.fields.items() if field.equal < field.cells]
    if different:
        lines.append(grid(["field", "different", "agree", "agree where set"], different))
        lines.append(grid(["frame", "field", "tshark", "tcpkit"], [[one_line(cell) for cell in each]
                                                                   for each in result.differences]))
    if result.tshark and result.tcpkit:
        costs = [cost("tshark", result.tshark, result.rows), cost("tcpkit", result.tcpkit, result.rows)]
        lines += [grid(["program", "seconds", "CPU seconds", "rows/s of CPU", "peak MiB"], costs),
                  f"  tshark's CPU time is {result.speedup:.1f} times tcpkit's"]
    return "\n".join(lines) + "\n"


def failures(result: Comparison) -> list[str]:
    """Where a program failed, so that there is nothing to compare."""
    lines = []
    if result.failed:
        first, cause = next(iter(result.failed.items()))
        lines.append(f"  tshark failed at {counted(len(result.failed), 'frame')}, "
                     f"{counted(result.left_out, 'row')} not compared; the first, {first}: {one_line(cause)}")
    for name, run in (("tshark", result.tshark), ("tcpkit", result.tcpkit)):
        if run and run.crashed:
            lines.append(f"  {name} crashed (signal {-run.status}): {one_line(run.said)}")
        elif run and run.status:
            lines.append(f"  {name} says (status {run.status}): {one_line(run.said)}")
    if result.unreached:
        lines.append(f"  {counted(result.unreached, 'row')} of tcpkit after that not compared")
    return lines


def cost(name: str, run: Run, rows: int) -> list[str]:
    return [name, f"{run.seconds:.2f}", f"{run.cpu_seconds:.2f}", f"{rows / max(run.cpu_seconds, 1e-9):,.0f}",
            f"{run.peak_memory / (1 << 20):.0f}"]


def share(part: int, whole: int) -> str:
    """Percent; never 100 if anything is missing."""
    if part == whole:
        return "100 %"
    return f"{min(100 * part / whole, 99.9999):.4f} %"
