"""A trace as a file: Chrome trace events or a picture, as the file's ending says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gilstudy.report import document
from gilstudy.report.chrome import chrome_trace
from gilstudy.watching.summary import summarise
from gilstudy.watching.trace import Stretch, Trace

ENDINGS: Final = (".json", ".svg", ".png", ".html")


def save_trace(path: Path, trace: Trace, *, title: str, window: Stretch | None) -> None:
    """Write the file.

    Args:
        path: its ending is one of `ENDINGS`.
        trace: what was seen of this process.
        title: of a picture.
        window: the part of the trace that a picture draws; None for the busiest stretch of contention.

    Raises:
        BadInput: it cannot be written, or a picture has nothing to draw.
    """
    if path.suffix == ".json":
        document.save(path, chrome_trace(trace, pid=os.getpid()), compact=True)
        return
    from gilstudy.report.picture import save_picture  # and with it matplotlib, only if it is wanted

    save_picture(path, trace, summarise(trace), title=title, window=window)
