"""A ladder as a picture."""
from __future__ import annotations

import textwrap
from html import escape
from itertools import accumulate

from tcpkit.ladder import Fold, Ladder, Step, counts_text, fold_text, headline, phase
from tcpkit.text import endpoint

WIDTH, LEFT, RIGHT = 1120, 350, 950              # of the picture; where the two lifelines are
LETTER = 7.25                                    # width of one in the labels
TOP, ROW, SLOPE, LINE = 150, 44, 16, 17          # first row, height of one, how far an arrow falls, line of a note
NOTE = 92                                        # letters in a line of a note
COLORS = {"opening": "#3b82f6", "open": "#16a34a", "closing": "#f59e0b", "closed": "#94a3b8", "unknown": "#a855f7"}
CLIENT, SERVER, MARK = "#0e7490", "#4338ca", "#dc2626"
STYLE = """text{font-family:Inter,'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px;fill:#0f172a}
.n{font-family:'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px}
.f{fill:#64748b}.h{font-size:20px;font-weight:700}.e{font-size:15px;font-weight:600}
.s{font-size:11px;font-weight:700;fill:#fff;letter-spacing:.3px}.m{fill:#b91c1c;font-size:12px}.w{fill:#b45309;font-size:12px}"""


def ladder_svg(ladder: Ladder) -> str:
    """An SVG document; whatever comes from the capture is escaped."""
    notes = [_notes(item) for item in ladder.items]
    tops = list(accumulate((ROW + LINE * len(lines) + 6 * bool(lines) for lines in notes), initial=TOP))
    height = tops[-1] + 40
    body = [_header(ladder), _lifelines(ladder, tops)]
    states = ("", "")
    for item, lines, y in zip(ladder.items, notes, tops, strict=False):
        if isinstance(item, Fold):
            body.append(_fold(item, lines, y))
        else:
            body += [_step(item, states, y), _note(lines, y)]
            states = item.states
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}">\n<style>{STYLE}</style>\n<defs>{_arrowheads()}</defs>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(filter(None, body)) + "\n</svg>\n")


def _notes(item: Step | Fold) -> list[tuple[str, str]]:
    """What stands out, in lines, each with its style."""
    if isinstance(item, Fold):
        return [(line, "w") for line in textwrap.wrap(counts_text(item), NOTE)]
    return [*((line, "m") for line in textwrap.wrap(item.verdict, NOTE)),
            *((line, "w") for line in textwrap.wrap(", ".join(item.notes), NOTE))]


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _arrowheads() -> str:
    return "".join(f'<marker id="a{color[1:]}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" '
                   f'orient="auto"><path d="M0,0.8L10,5L0,9.2z" fill="{color}"/></marker>'
                   for color in (CLIENT, SERVER, MARK))


def _header(ladder: Ladder) -> str:
    flow = ladder.flow
    title, *rest = headline(flow)
    parts = [_text(40, 44, title, "h"), *(_text(40, 68 + 20 * i, line, "f") for i, line in enumerate(rest))]
    for x, end in ((LEFT, "client"), (RIGHT, "server")):
        parts.append(_text(x, TOP - 34, endpoint(flow[end], flow[f"{end}_port"]), "e", "middle"))
        parts.append(_text(x, TOP - 17, end, "f", "middle"))
    return "\n".join(parts)


def _lifelines(ladder: Ladder, tops: list[int]) -> str:
    """Each in the colour of its end's state."""
    parts = []
    states = [item.states if isinstance(item, Step) else None for item in ladder.items]
    for side, x in enumerate((LEFT, RIGHT)):
        known = "UNKNOWN"
        for row, both in enumerate(states):
            known = both[side] if both else known
            dash = "" if both else ' stroke-dasharray="3 5"'
            parts.append(f'<line x1="{x}" y1="{tops[row]}" x2="{x}" y2="{tops[row + 1]}" '
                         f'stroke="{COLORS[phase(known)]}" stroke-width="4"{dash}/>')
    return "\n".join(parts)


def _step(step: Step, before: tuple[str, str], y: int) -> str:
    start, end = (LEFT + 4, RIGHT - 4) if step.by_client else (RIGHT - 4, LEFT + 4)
    color = MARK if step.verdict else CLIENT if step.by_client else SERVER
    label = (LEFT + RIGHT) / 2 - LETTER * (len(step.flags) + 1.5 + len(step.numbers)) / 2
    parts = [
        _text(40, y + 14, f"#{step.frame}", "n f"), _text(190, y + 14, f"{step.time_ns / 1e9:.6f} s", "n", "end"),
        _text(190, y + 30, f"+{step.delta_ns / 1e6:.3f} ms", "n f", "end"),
        f'<line x1="{start}" y1="{y + 18}" x2="{end}" y2="{y + 18 + SLOPE}" stroke="{color}" stroke-width="1.8" '
        f'marker-end="url(#a{color[1:]})"/>',
        f'<text x="{label:g}" y="{y + 14}" class="n" style="font-weight:700;fill:{color}">{escape(step.flags)}</text>',
        _text(label + LETTER * (len(step.flags) + 1.5), y + 14, step.numbers, "n")]
    for side, x in enumerate((LEFT, RIGHT)):
        if step.states[side] != before[side]:
            arrives = step.by_client == (side == 1)
            parts.append(_pill(step.states[side], x, y + 18 + SLOPE * arrives, left=side == 0))
    return "\n".join(parts)


def _note(lines: list[tuple[str, str]], y: int) -> str:
    """Below the arrow, a verdict on a ground of its own."""
    if not lines:
        return ""
    ground = "#fef2f2" if lines[0][1] == "m" else "#fffbeb"
    parts = [f'<rect x="{LEFT + 22}" y="{y + ROW - 4}" width="{RIGHT - LEFT - 44}" height="{LINE * len(lines) + 6}" '
             f'rx="6" fill="{ground}"/>']
    parts += [_text(LEFT + 32, y + ROW + 11 + LINE * i, line, style) for i, (line, style) in enumerate(lines)]
    return "\n".join(parts)


def _pill(state: str, x: int, y: int, *, left: bool) -> str:
    width = 22 + 7.6 * len(state)
    at = x - 14 - width if left else x + 14
    return (f'<rect x="{at:g}" y="{y - 11}" width="{width:g}" height="22" rx="11" fill="{COLORS[phase(state)]}"/>'
            + _text(at + width / 2, y + 4, state, "s", "middle")
            + f'<circle cx="{x}" cy="{y}" r="5" fill="#fff" stroke="{COLORS[phase(state)]}" stroke-width="2.5"/>')


def _fold(fold: Fold, lines: list[tuple[str, str]], y: int) -> str:
    middle = (LEFT + RIGHT) / 2
    parts = [f'<rect x="{LEFT + 14}" y="{y + 4}" width="{RIGHT - LEFT - 28}" '
             f'height="{ROW - 8 + LINE * len(lines)}" rx="8" fill="#f1f5f9"/>',
             _text(middle, y + 26, fold_text(fold), "f", "middle"),
             _text(190, y + 26, f"{fold.time_ns / 1e9:.6f} s", "n f", "end")]
    parts += [_text(middle, y + 26 + LINE * (i + 1), line, style, "middle") for i, (line, style) in enumerate(lines)]
    return "\n".join(parts)
