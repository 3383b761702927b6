"""A ladder as a picture."""
from __future__ import annotations

from html import escape

from tcpkit.ladder import Fold, Ladder, Step, fold_text, headline, phase

WIDTH, LEFT, RIGHT = 1060, 350, 880              # of the picture; where the two lifelines are
LETTER = 7.25                                    # width of one in the labels
TOP, ROW, SLOPE = 150, 46, 16                    # first row, height of one, how far an arrow falls
COLORS = {"opening": "#3b82f6", "open": "#16a34a", "closing": "#f59e0b", "closed": "#94a3b8", "unknown": "#a855f7"}
CLIENT, SERVER, MARK, INK, FAINT = "#0e7490", "#4338ca", "#dc2626", "#0f172a", "#64748b"
STYLE = """text{font-family:Inter,'Segoe UI',Helvetica,Arial,sans-serif;font-size:13px;fill:#0f172a}
.n{font-family:'JetBrains Mono','DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:12px}
.f{fill:#64748b}.h{font-size:20px;font-weight:700}.e{font-size:15px;font-weight:600}
.s{font-size:11px;font-weight:700;fill:#fff;letter-spacing:.3px}.m{fill:#dc2626;font-weight:600}"""


def ladder_svg(ladder: Ladder) -> str:
    """An SVG document; whatever comes from the capture is escaped."""
    height = TOP + ROW * len(ladder.items) + 60
    body = [_header(ladder), _lifelines(ladder)]
    before = ("", "")
    for row, item in enumerate(ladder.items):
        y = TOP + ROW * row
        if isinstance(item, Fold):
            body.append(_fold(item, y))
        else:
            body.append(_step(item, before, y))
            before = item.states
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}">\n<style>{STYLE}</style>\n<defs>{_arrowheads()}</defs>\n'
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n")


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
        parts.append(_text(x, TOP - 34, f"{flow[end]}:{flow[f'{end}_port']}", "e", "middle"))
        parts.append(_text(x, TOP - 17, end, "f", "middle"))
    return "\n".join(parts)


def _lifelines(ladder: Ladder) -> str:
    """Each in the colour of its end's state."""
    parts = []
    states = [item.states if isinstance(item, Step) else None for item in ladder.items]
    for side, x in enumerate((LEFT, RIGHT)):
        known = "UNKNOWN"
        for row, both in enumerate(states):
            known = both[side] if both else known
            y = TOP + ROW * row
            dash = "" if both else ' stroke-dasharray="3 5"'
            parts.append(f'<line x1="{x}" y1="{y}" x2="{x}" y2="{y + ROW}" stroke="{COLORS[phase(known)]}" '
                         f'stroke-width="4"{dash}/>')
    return "\n".join(parts)


def _step(step: Step, before: tuple[str, str], y: int) -> str:
    start, end = (LEFT + 4, RIGHT - 4) if step.by_client else (RIGHT - 4, LEFT + 4)
    color = MARK if step.marks else CLIENT if step.by_client else SERVER
    middle = (LEFT + RIGHT) / 2
    label = middle - LETTER * (len(step.flags) + 1.5 + len(step.numbers)) / 2
    parts = [
        _text(40, y + 14, f"#{step.frame}", "n f"), _text(190, y + 14, f"{step.time_ns / 1e9:.6f} s", "n", "end"),
        _text(190, y + 30, f"+{step.delta_ns / 1e6:.3f} ms", "n f", "end"),
        f'<line x1="{start}" y1="{y + 18}" x2="{end}" y2="{y + 18 + SLOPE}" stroke="{color}" stroke-width="1.8" '
        f'marker-end="url(#a{color[1:]})"/>',
        f'<text x="{label:g}" y="{y + 14}" class="n" style="font-weight:700;fill:{color}">{escape(step.flags)}</text>',
        _text(label + LETTER * (len(step.flags) + 1.5), y + 14, step.numbers, "n")]
    if step.marks:
        parts.append(_text(middle, y + 43, ", ".join(step.marks), "m", "middle"))
    for side, x in enumerate((LEFT, RIGHT)):
        if step.states[side] != before[side]:
            arrives = step.by_client == (side == 1)
            parts.append(_pill(step.states[side], x, y + 18 + SLOPE * arrives, left=side == 0))
    return "\n".join(parts)


def _pill(state: str, x: int, y: int, *, left: bool) -> str:
    width = 22 + 7.6 * len(state)
    at = x - 14 - width if left else x + 14
    return (f'<rect x="{at:g}" y="{y - 11}" width="{width:g}" height="22" rx="11" fill="{COLORS[phase(state)]}"/>'
            + _text(at + width / 2, y + 4, state, "s", "middle")
            + f'<circle cx="{x}" cy="{y}" r="5" fill="#fff" stroke="{COLORS[phase(state)]}" stroke-width="2.5"/>')


def _fold(fold: Fold, y: int) -> str:
    middle = (LEFT + RIGHT) / 2
    parts = [f'<rect x="{LEFT + 14}" y="{y + 4}" width="{RIGHT - LEFT - 28}" height="{ROW - 8}" rx="8" '
             'fill="#f1f5f9"/>',
             _text(middle, y + (20 if fold.marks else 28), fold_text(fold), "f", "middle"),
             _text(190, y + 28, f"{fold.time_ns / 1e9:.6f} s", "n f", "end")]
    if fold.marks:
        parts.append(_text(middle, y + 36, ", ".join(f"{count} {word}" for word, count in fold.marks), "m", "middle"))
    return "\n".join(parts)
