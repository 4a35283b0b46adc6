"""A trace as a picture: lanes, one a thread, the GIL's own on top. It needs matplotlib (the extra ``plot``)."""

from __future__ import annotations

import base64
import contextlib
import io
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from gilstudy.errors import BadInput
from gilstudy.report.choosing import busiest_in
from gilstudy.report.labels import labels
from gilstudy.report.timeline import detail, has_unseen, legend_keys
from gilstudy.report.trace import SUBJECT, cautions, finding, gil_lines, headlines
from gilstudy.system import files
from gilstudy.text import shown
from gilstudy.watching.summary import Summary
from gilstudy.watching.trace import FREE, OFF, State, Stretch, Trace

COLOURS: Final[dict[State, str]] = {
    "holding": "#2a7f62",
    "running": "#3f8fd2",
    "waiting": "#d1495b",
    "ready": "#edae49",
    "blocked": "#e3e6ea",
    "off-cpu": "#e3e6ea",
    "unknown": "none",
}
"""Told apart also by readers who do not see red and green alike: they differ in lightness."""
THREADS: Final = (
    "#882288", "#ff88ee", "#2233aa", "#773300", "#ccdd22", "#55ccff", "#889900", "#330033",
    "#aa66dd", "#00dd88", "#334455", "#996600", "#ff7766", "#ccaabb", "#003300", "#000066",
)  # fmt: skip
"""For the GIL's lane, one per thread that has a lane and held it; none is near to a state's."""
OTHERS: Final = "#888888"
"""For holders that have no lane in the picture."""
CELLS: Final = 120
LETTERS: Final = 110
"""Letters in a line of small print, at most."""
LONGEST_NAME: Final = 30
MOST_EDGED: Final = 400
"""Bars of one colour and lane that get an edge; of more the edges would hide the bars."""


def save_picture(path: Path, trace: Trace, summary: Summary, *, title: str, window: Stretch | None = None) -> None:
    """Write the picture as the ending of ``path`` says: svg, png or html.

    Args:
        path: where to.
        trace: what was seen.
        summary: its figures.
        title: what was traced. The picture's own title is what was found.
        window: the part that is drawn; None for the busiest stretch of contention.

    Raises:
        BadInput: matplotlib is not installed, the trace has no lane to draw, or the system refused to write.
    """
    ending, title = path.suffix.lower().lstrip("."), shown(title, LETTERS)
    with _own_settings():
        figure = _figure(trace, summary, title, window or detail(trace, CELLS))
        image = _rendered(figure, "svg" if ending == "html" else ending)
    files.write(path, _page(image, trace, summary, title) if ending == "html" else image)


@contextlib.contextmanager
def _own_settings() -> Iterator[None]:
    """Matplotlib as it comes, whatever the program or the user set; a dollar sign in a name is only that."""
    try:
        import matplotlib
    except ImportError as error:
        raise BadInput("a picture needs matplotlib: pip install 'gilstudy[plot]'") from error
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({"text.parse_math": False, "svg.fonttype": "none"})
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def _rendered(figure: Any, kind: str) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=160)
    return buffer.getvalue()


def _figure(trace: Trace, summary: Summary, title: str, window: Stretch) -> Any:
    from matplotlib.figure import Figure

    places = busiest_in(trace, window)
    if not places:
        raise BadInput(_nothing(trace))
    rows = len(places) + bool(trace.holders)
    told = _small_print(trace, summary, title)
    figure = Figure(figsize=(12, 2.0 + 0.5 * rows + 0.17 * len(told)), layout="constrained")
    axes = figure.subplots()
    names = labels([summary.lanes[place] for place in places], LONGEST_NAME, shown)
    _draw(axes, trace, places, window)
    axes.set_yticks(range(rows), ["GIL, by holder", *names] if trace.holders else names)
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(0, (window[1] - window[0]) / 1e6)
    axes.set_xlabel(f"milliseconds, from {(window[0] - trace.begin_ns) / 1e6:.0f} ms after the beginning")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=16 if trace.holders else 6)
    figure.suptitle(finding(trace, summary), x=0.01, ha="left", fontsize=15, fontweight="bold")
    axes.set_title("\n".join(told), loc="left", fontsize=10, color="#555555")
    _legend(figure, trace, places, window)
    return figure


def _nothing(trace: Trace) -> str:
    why = shown(trace.lanes_reason or trace.gil_reason)
    return f"nothing was seen that could be drawn: {why}" if why else "nothing was seen in the part that is to be drawn"


def _small_print(trace: Trace, summary: Summary, title: str) -> list[str]:
    lines = [line.plain for line in gil_lines(summary)]
    figures = [f"{line[:SUBJECT].strip()}: {line[SUBJECT:]}" for line in lines]
    told = [title, *([shown(trace.gil_reason)] if trace.gil_reason else figures)]
    told += [f"caution: {text}" for text in cautions(trace)]
    return [part for line in told for part in textwrap.wrap(line, LETTERS)]


def _draw(axes: Any, trace: Trace, places: Sequence[int], window: Stretch) -> None:
    holding = _holders_in(trace, window)
    colours = dict(zip((place for place in places if place in holding), THREADS, strict=False))
    if trace.holders:
        held: dict[str, list[Stretch]] = {}
        for begin, end, holder in trace.holders:
            if holder not in (FREE, OFF):
                held.setdefault(colours.get(holder, OTHERS), []).append((begin, end))
        for colour, spans in held.items():
            _bars(axes, 0, spans, window, colour, 0.8)
    for row, place in enumerate(places, start=bool(trace.holders)):
        lane = trace.lanes[place]
        for state, colour in COLOURS.items():
            _bars(axes, row, [(b, e) for b, e, s in lane.pieces if s == state], window, colour, 0.62)
        if place in colours:  # the same colour as in the GIL's lane, as a key
            at = axes.get_yaxis_transform()
            axes.plot([-0.008], [row], "s", color=colours[place], transform=at, clip_on=False, markersize=6)


def _bars(axes: Any, row: int, spans: Sequence[Stretch], window: Stretch, colour: str, height: float) -> None:
    begin, end = window
    inside = [(max(b, begin), min(e, end)) for b, e in spans if e > begin and b < end]
    bars = [((b - begin) / 1e6, (e - b) / 1e6) for b, e in inside]
    if bars and colour != "none":
        edge = {"edgecolor": "white", "linewidth": 0.4} if len(bars) <= MOST_EDGED else {"linewidth": 0}
        axes.broken_barh(bars, (row - height / 2, height), facecolors=colour, **edge)


def _legend(figure: Any, trace: Trace, places: Sequence[int], window: Stretch) -> None:
    from matplotlib.patches import Patch

    patches = [Patch(color=COLOURS[state], label=words) for state, words in legend_keys(COLOURS, trace, places, window)]
    if others := _others(trace, places, window):
        patches.append(Patch(color=OTHERS, label=others))
    if blank := _blank(trace, places, window):
        patches.append(Patch(facecolor="white", edgecolor="#bbbbbb", label=blank))
    figure.legend(handles=patches, loc="outside lower center", ncols=min(4, len(patches)) or 1, frameon=False)


def _others(trace: Trace, places: Sequence[int], window: Stretch) -> str:
    holders = _holders_in(trace, window) - {FREE, OFF}
    return "GIL: held by a thread that is not shown" if holders - set(places) else ""


def _blank(trace: Trace, places: Sequence[int], window: Stretch) -> str:
    """What is blank: in the GIL's lane where nobody holds it, in the others what was not seen."""
    free = "GIL: free" if FREE in _holders_in(trace, window) else ""
    unseen = "thread: not seen" if has_unseen(trace, places, window) else ""
    return ", ".join(part for part in (free, unseen) if part)


def _holders_in(trace: Trace, window: Stretch) -> set[int]:
    return {holder for begin, end, holder in trace.holders if begin < window[1] and end > window[0]}


def _page(image: bytes, trace: Trace, summary: Summary, title: str) -> str:
    picture = base64.b64encode(image).decode("ascii")
    told = "".join(f"<p>{escape(line.plain)}</p>" for line in headlines(trace, summary))
    heading = escape(finding(trace, summary))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}: {heading}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:80rem;margin:2rem auto;padding:0 1rem}img{width:100%}</style>"
        f'<h1>{heading}</h1><p>{escape(title)}</p><img alt="lanes, one a thread" '
        f'src="data:image/svg+xml;base64,{picture}">{told}</html>\n'
    )
