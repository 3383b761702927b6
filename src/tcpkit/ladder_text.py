"""A ladder in the terminal: client on the left, server on the right, time downwards."""
from __future__ import annotations

from rich.text import Text

from tcpkit.ladder import Fold, Ladder, Step, duration_text, fold_text, headline, phase

COLORS = {"opening": "blue", "open": "green", "closing": "yellow", "closed": "bright_black", "unknown": "magenta"}
STATE = 12                       # letters of SYN-RECEIVED
BEFORE = 7 + 1 + 12 + 1 + 9 + 1  # frame number, time, time since the previous segment
NARROWEST = 44                   # room for an arrow with its label


def ladder_lines(ladder: Ladder, width: int) -> list[Text]:
    """Lines of at most ``width`` cells, or a little more where that is too narrow."""
    room = max(width - BEFORE - 2 * (STATE + 2), NARROWEST)
    flow = ladder.flow
    ends = [f"{flow[end]}:{flow[f'{end}_port']}" for end in ("client", "server")]
    lines = [Text(line, style="bold" if i == 0 else "dim") for i, line in enumerate(headline(flow))]
    lines.append(Text())
    head = Text(f"{'frame':>7} {'seconds':>12} {'+ ms':>9} ", style="dim")
    head.append(f"{'client':>{STATE}} ", style="bold").append(ends[0], style="bold cyan")
    head.append(" " * max(room - len(ends[0]) - len(ends[1]) + 2, 3)).append(ends[1], style="bold cyan")
    lines.append(head.append(" server", style="bold"))
    before = ("", "")
    for item in ladder.items:
        if isinstance(item, Fold):
            lines.append(_fold_line(item, room))
        else:
            lines.append(_step_line(item, before, room))
            before = item.states
    return lines


def _step_line(step: Step, before: tuple[str, str], room: int) -> Text:
    line = Text(f"{step.frame:>7} ", style="dim")
    line.append(f"{step.time_ns / 1e9:>12.6f} ", style="default")
    line.append(f"{step.delta_ns / 1e6:>9.3f} ", style="dim")
    _append_state(line, step.states[0], before[0], left=True)
    line.append("│", style=COLORS[phase(step.states[0])])
    label = f" {step.flags} {step.numbers} "
    label = label if len(label) <= room - 4 else label[:room - 5] + "…"
    filling = room - 1 - len(label)
    ink = "bold red" if step.marks else "cyan" if step.by_client else "blue"
    start, end = "─" * (filling // 2), "─" * (filling - filling // 2)
    line.append(start if step.by_client else "◀" + start, style=ink).append(label, style="bold" if step.marks else "")
    line.append(end + "▶" if step.by_client else end, style=ink)
    line.append("│", style=COLORS[phase(step.states[1])])
    _append_state(line, step.states[1], before[1], left=False)
    if step.marks:
        line.append(" " + ", ".join(step.marks), style="red")
    return line


def _append_state(line: Text, state: str, before: str, *, left: bool) -> None:
    """Named when it changes."""
    name = state if state != before else ""
    line.append(f"{name:>{STATE}} " if left else f" {name:<{STATE}}", style=f"bold {COLORS[phase(state)]}")


def _fold_line(fold: Fold, room: int) -> Text:
    line = Text(f"{'⋮':>7} {fold.time_ns / 1e9:>12.6f} {duration_text(fold.duration_ns):>9} ", style="dim")
    line.append(" " * (STATE + 1)).append("┊", style="dim")
    line.append(fold_text(fold).center(room), style="italic dim").append("┊", style="dim")
    if fold.marks:
        line.append(" " * (STATE + 2) + ", ".join(f"{count} {word}" for word, count in fold.marks), style="red")
    return line
