"""A trace as a picture: lanes, one a thread, the GIL's own on top. It needs matplotlib (the extra ``plot``)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from rich.text import Text

from gilstudy.errors import BadInput
from gilstudy.report.trace import busiest, cautions, detail, gil_lines, headlines, legend_keys
from gilstudy.summary import Summary
from gilstudy.trace import FREE, OFF, Span, State, Trace

COLOURS: Final[dict[State, str]] = {
    "holding": "#2a7f62",
    "running": "#3f8fd2",
    "waiting": "#d1495b",
    "ready": "#edae49",
    "blocked": "#e3e6ea",
    "off-cpu": "#e3e6ea",
}
"""Told apart also by readers who do not see red and green alike: they differ in lightness."""
THREADS: Final = ("#30638e", "#e07a5f", "#6a4c93", "#81b29a", "#bc6c25", "#577590", "#c9184a", "#4d908e")
"""For the GIL's lane, one per holder."""
OTHERS: Final = "#888888"
"""For holders that have no lane in the picture."""
CELLS: Final = 120


def save_picture(path: Path, trace: Trace, summary: Summary, *, title: str, window: Span | None = None) -> None:
    """Write the picture as the ending of ``path`` says: svg, png or html.

    Raises:
        BadInput: matplotlib is not installed, or the trace has no lane to draw.
    """
    figure = _figure(trace, summary, title, window or detail(trace, CELLS))
    if path.suffix == ".html":
        path.write_text(_page(figure, trace, summary, title), encoding="utf-8")
    else:
        figure.savefig(path, dpi=160)


def _figure(trace: Trace, summary: Summary, title: str, window: Span) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise BadInput("a picture needs matplotlib: pip install 'gilstudy[plot]'") from error
    shown = busiest(trace, summary)
    if not shown:
        raise BadInput("nothing was seen that could be drawn: " + (trace.lanes_reason or trace.gil_reason))
    rows = len(shown) + bool(trace.holders)
    figure = Figure(figsize=(12, 2.1 + 0.5 * rows), layout="constrained")
    axes = figure.subplots()
    labels = _draw(axes, trace, shown, window)
    axes.set_yticks(range(rows), labels)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(0, (window[1] - window[0]) / 1e6)
    axes.set_xlabel(f"milliseconds, from {(window[0] - trace.begin_ns) / 1e6:.0f} ms after the beginning")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=16 if trace.holders else 6)
    figure.suptitle(title, x=0.01, ha="left", fontsize=15, fontweight="bold")
    axes.set_title(_subtitle(trace, summary), loc="left", fontsize=10, color="#555555")
    _legend(figure, trace, shown, window)
    return figure


def _draw(axes: Any, trace: Trace, shown: Sequence[int], window: Span) -> list[str]:
    labels = []
    if trace.holders:
        labels.append("GIL")
        for begin, end, holder in trace.holders:
            if holder not in (FREE, OFF):
                colour = THREADS[shown.index(holder) % len(THREADS)] if holder in shown else OTHERS
                _bars(axes, 0, [(begin, end)], window, colour, 0.8)
    for row, place in enumerate(shown, start=len(labels)):
        lane = trace.lanes[place]
        labels.append(lane.name)
        for state, colour in COLOURS.items():
            _bars(axes, row, [(b, e) for b, e, s in lane.pieces if s == state], window, colour, 0.62)
        if trace.holders:  # the same colour as in the GIL's lane, as a key
            at, colour = axes.get_yaxis_transform(), THREADS[(row - 1) % len(THREADS)]
            axes.plot([-0.008], [row], "s", color=colour, transform=at, clip_on=False, markersize=6)
    return labels


def _bars(axes: Any, row: int, spans: Sequence[Span], window: Span, colour: str, height: float) -> None:
    begin, end = window
    inside = [(max(b, begin), min(e, end)) for b, e in spans if e > begin and b < end]
    bars = [((b - begin) / 1e6, (e - b) / 1e6) for b, e in inside]
    if bars:
        axes.broken_barh(bars, (row - height / 2, height), facecolors=colour, edgecolor="white", linewidth=0.4)


def _subtitle(trace: Trace, summary: Summary) -> str:
    lines = [Text(trace.gil_reason)] if trace.gil_reason else gil_lines(summary)
    return "\n".join(" ".join(line.plain.split()) for line in lines)


def _legend(figure: Any, trace: Trace, shown: Sequence[int], window: Span) -> None:
    from matplotlib.patches import Patch

    keys = legend_keys(COLOURS, trace, shown, window)
    patches = [Patch(color=COLOURS[state], label=words) for state, words in keys]
    figure.legend(handles=patches, loc="outside lower center", ncols=len(patches) or 1, frameon=False)


def _page(figure: Any, trace: Trace, summary: Summary, title: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    picture = base64.b64encode(buffer.getvalue()).decode("ascii")
    lines = [line.plain for line in headlines(trace, summary)] + [f"caution: {text}" for text in cautions(trace)]
    told = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem}img{width:100%}</style>"
        f'<h1>{escape(title)}</h1><img alt="lanes, one a thread" src="data:image/svg+xml;base64,{picture}">'
        f"{told}</html>\n"
    )
