"""Studies as documents: what was observed, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gilstudy.codec import Malformed, decode, encode
from gilstudy.concluding.checks import check
from gilstudy.concluding.findings import Findings
from gilstudy.errors import BadInput
from gilstudy.measuring.record import SCHEMA, Record
from gilstudy.measuring.upgrade import upgrade
from gilstudy.report.document import Document, made
from gilstudy.report.document import save as save_document
from gilstudy.system import files
from gilstudy.text import shown


def document(record: Record, findings: Findings | None) -> Document:
    """The JSON document of a study: what was observed, and what follows from it; None while nothing is concluded."""
    return made(schema=SCHEMA, record=encode(record), findings=encode(findings))


def save(path: Path, record: Record, findings: Findings | None) -> None:
    """Write a study to ``path``. Raises BadInput if the system refuses."""
    save_document(path, document(record, findings), compact=True)


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
