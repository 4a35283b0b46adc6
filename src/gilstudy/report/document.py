"""What commands save and print as JSON: documents of plain values, which say who made them."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from gilstudy._version import __version__
from gilstudy.system import files

Document = dict[str, Any]


def made(*, schema: int | None = None, **parts: Any) -> Document:
    """A document with these parts; the schema is for those that are read again."""
    return ({} if schema is None else {"schema": schema}) | {"gilstudy": __version__} | parts


def as_json(document: Document, *, compact: bool = False, is_ascii: bool = True) -> str:
    """The document as JSON, with null for numbers that are not finite, which JSON cannot hold.

    Args:
        document: plain JSON values.
        compact: for machines rather than for people.
        is_ascii: whether other characters are escaped.
    """
    form: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    return json.dumps(finite(document), allow_nan=False, ensure_ascii=is_ascii, **form) + "\n"


def save(path: Path, document: Document, *, compact: bool = False) -> None:
    """Write the document to ``path``. Raises BadInput if the system refuses."""
    files.write(path, as_json(document, compact=compact))


def finite(value: Any) -> Any:
    """``value`` with None for what is not a finite number."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
