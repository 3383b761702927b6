"""A ladder in the terminal: client on the left, server on the right, time downwards."""
from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from tcpkit.columns import ENDS
from tcpkit.ladder import Fold, Ladder, Step, counts_text, fold_text, headline, phase
from tcpkit.text import duration_text, endpoint

COLORS = {"opening": "blue", "open": "green", "closing": "yellow", "closed": "bright_black", "unknown": "magenta"}
STATE = 12                       # letters of SYN-RECEIVED
BEFORE = 7 + 1 + 12 + 1 + 9 + 1  # frame number, time, time since the previous segment
NARROWEST = 44                   # room for an arrow with its label


def ladder_lines(ladder: Ladder, width: int) -> list[Text]:
    """Lines of at most ``width`` cells, or a little more where that is too narrow."""
    room = max(width - BEFORE - 2 * (STATE + 2), NARROWEST)
    flow = ladder.flow
    ends = [endpoint(flow[end], flow[f"{end}_port"]) for end in ENDS]
    lines = [Text(line, style="bold" if i == 0 else "dim") for i, line in enumerate(headline(flow))]
    lines.append(Text())
    head = Text().append(f"{'frame':>7} {'seconds':>12} {'+ ms':>9} ", style="dim")
    head.append(f"{'client':>{STATE}} ", style="bold").append(ends[0], style="bold cyan")
    head.append(" " * max(room - len(ends[0]) - len(ends[1]) + 2, 3)).append(ends[1], style="bold cyan")
    lines.append(head.append(" server", style="bold"))
    states = ("", "")
    for item in ladder.items:
        if isinstance(item, Fold):
            lines.append(_fold_line(item, room))
            lines += _note_lines(counts_text(item), "italic dim", states, room)
        else:
            lines.append(_step_line(item, states, room))
            states = item.states
            lines += _note_lines(item.verdict, "red", states, room)
            lines += _note_lines(", ".join(item.notes), "yellow", states, room)
    for line in lines:
        line.rstrip()
    return lines


def _step_line(step: Step, before: tuple[str, str], room: int) -> Text:
    line = Text().append(f"{step.frame:>7} ", style="dim")
    line.append(f"{step.time_ns / 1e9:>12.6f} ", style="default")
    line.append(f"{step.delta_ns / 1e6:>9.3f} ", style="dim")
    _append_state(line, step.states[0], before[0], left=True)
    line.append("│", style=COLORS[phase(step.states[0])])
    label = f" {step.flags} {step.numbers} "
    label = label if len(label) <= room - 4 else label[:room - 5] + "…"
    filling = room - 1 - len(label)
    ink = "bold red" if step.verdict else "cyan" if step.by_client else "blue"
    start, end = "─" * (filling // 2), "─" * (filling - filling // 2)
    line.append(start if step.by_client else "◀" + start, style=ink).append(label, style="bold" if step.verdict else "")
    line.append(end + "▶" if step.by_client else end, style=ink)
    line.append("│", style=COLORS[phase(step.states[1])])
    _append_state(line, step.states[1], before[1], left=False)
    return line


def _append_state(line: Text, state: str, before: str, *, left: bool) -> None:
    """Named when it changes."""
    name = state if state != before else ""
    line.append(f"{name:>{STATE}} " if left else f" {name:<{STATE}}", style=f"bold {COLORS[phase(state)]}")


def _fold_line(fold: Fold, room: int) -> Text:
    line = Text().append(f"{'⋮':>7} {fold.time_ns / 1e9:>12.6f} {duration_text(fold.duration_ns):>9} ", style="dim")
    line.append(" " * (STATE + 1)).append("┊", style="dim")
    return line.append(fold_text(fold).center(room), style="italic dim").append("┊", style="dim")


def _note_lines(text: str, style: str, states: tuple[str, str], room: int) -> Iterator[Text]:
    """What stands out, below the segment."""
    for part in textwrap.wrap(text, room - 4, initial_indent="↳ ", subsequent_indent="  "):
        line = Text(" " * (BEFORE + STATE + 1)).append("│", style=COLORS[phase(states[0])])
        yield line.append(f"  {part}".ljust(room), style=style).append("│", style=COLORS[phase(states[1])])
