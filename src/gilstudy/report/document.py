"""Studies as JSON documents: what was observed, and what follows from it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gilstudy._version import __version__
from gilstudy.codec import Malformed, decode, encode
from gilstudy.concluding.checks import check
from gilstudy.concluding.findings import Findings
from gilstudy.errors import BadInput
from gilstudy.measuring.record import SCHEMA, Record
from gilstudy.measuring.upgrade import upgrade
from gilstudy.system import files
from gilstudy.text import shown


def document(record: Record, findings: Findings | None) -> dict[str, Any]:
    """The JSON document of a study: what was observed, and what follows from it; None while nothing is concluded."""
    return {
        "schema": SCHEMA,
        "gilstudy": __version__,
        "record": encode(record),
        "findings": finite(encode(findings)),
    }


def finite(value: Any) -> Any:
    """``value`` with None for what is not a finite number, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def save(path: Path, record: Record, findings: Findings | None) -> None:
    """Write a study to ``path``. Raises BadInput if the system refuses."""
    files.write(path, json.dumps(document(record, findings), separators=(",", ":")) + "\n")


def load(path: Path) -> Record:
    """Read the record of a saved study.

    Raises:
        BadInput: the file is missing, damaged, cut short, foreign, too large, or of a newer version.
    """
    name, given = shown(path), _parse(path)
    if not isinstance(given, Mapping) or "gilstudy" not in given or "schema" not in given:
        raise BadInput(f"{name} is not a study of gilstudy; give a file written by gilstudy bench --json")
    schema = given["schema"]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        told = repr(schema[:40]) if isinstance(schema, str) else shown(schema, 40)
        raise BadInput(f"{name} is damaged: its schema is {told}")
    if schema > SCHEMA:
        made_by = f"gilstudy {shown(given['gilstudy'], 40)} with schema {shown(schema, 40)}"
        raise BadInput(f"{name} was written by {made_by}, and this one reads up to {SCHEMA}: upgrade gilstudy")
    try:
        record = decode(Record, upgrade(given.get("record"), schema))
        check(record)
    except Malformed as error:
        raise BadInput(f"{name} is damaged: {error}") from None
    return record


def _parse(path: Path) -> Any:
    text = files.read(path)
    try:
        return json.loads(text)
    except RecursionError:
        raise BadInput(f"{shown(path)} is damaged: it nests values too deeply") from None
    except ValueError:
        raise BadInput(f"{shown(path)} is damaged or cut short: it is not valid JSON") from None
    except MemoryError:
        raise BadInput(f"cannot read {shown(path)}: this process has not the memory for it") from None
