"""Studies as JSON files: written atomically, read with one clear line about whatever is wrong."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gilstudy._version import __version__
from gilstudy.codec import Malformed, decode, encode
from gilstudy.errors import BadInput
from gilstudy.findings import Findings
from gilstudy.record import SCHEMA, Record


def document(record: Record, findings: Findings) -> dict[str, Any]:
    """The JSON document of a study: what was observed, and what follows from it."""
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


def check_writable(path: Path) -> None:
    """Make sure before the work that its result can be saved.

    Raises:
        BadInput: the file could not be written.
    """
    if path.is_dir():
        raise BadInput(f"cannot write {path}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise BadInput(f"cannot write {path}: there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise BadInput(f"cannot write {path}: permission denied")


def write_atomically(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` as a whole: a reader sees the old file or the new one, never a part.

    Raises:
        BadInput: the system refused, for example because the disk is full.
    """
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            temporary = file.name
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(_mode_of(path))
        Path(temporary).replace(path)
    except OSError as error:
        raise BadInput(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            Path(temporary).unlink() if temporary else None


def _mode_of(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def save(path: Path, record: Record, findings: Findings) -> None:
    """Write a study to ``path``. Raises BadInput if the system refuses."""
    write_atomically(path, json.dumps(document(record, findings), separators=(",", ":")) + "\n")


def load(path: Path) -> Record:
    """Read the record of a saved study.

    Raises:
        BadInput: the file is missing, damaged, cut short, foreign, or of a newer version.
    """
    given = _parse(path)
    if not isinstance(given, Mapping) or "gilstudy" not in given or "schema" not in given:
        raise BadInput(f"{path} is not a study of gilstudy; give a file written by gilstudy bench --json")
    schema = given["schema"]
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise BadInput(f"{path} is damaged: its schema is {schema!r}")
    if schema > SCHEMA:
        made_by = f"gilstudy {given['gilstudy']} with schema {schema}"
        raise BadInput(f"{path} was written by {made_by}, and this one reads up to {SCHEMA}: upgrade gilstudy")
    try:
        record = decode(Record, given.get("record"))
        _check(record)
    except Malformed as error:
        raise BadInput(f"{path} is damaged: {error}") from None
    return record


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"cannot read {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise BadInput(f"{path} is damaged or cut short: it is not valid JSON") from None


def _check(record: Record) -> None:
    """What the types alone do not say. Raises Malformed."""
    plan = record.plan
    names = {arm.name for arm in plan.arms}
    rules = {
        "the plan has one ceiling": sum(arm.is_ceiling for arm in plan.arms) == 1,
        "every baseline is an arm": all(arm.baseline in names for arm in plan.arms),
        "there are worker counts": bool(plan.workers) and min(plan.workers) >= 1,
        "level and looks are in range": 0 < plan.level < 1 and plan.looks >= 1,
        "the host has CPUs": bool(record.host.usable_cpus and record.host.placement),
        "every trial is of a known arm": all(trial.arm in names for trial in record.trials),
        "every trial has a window and a lap": all(t.close_ns > t.open_ns and t.lap > 0 for t in record.trials),
        "every worker has a span and a CPU": all(len(t.spans) == len(t.cpus) == t.workers >= 1 for t in record.trials),
    }
    for rule, holds in rules.items():
        if not holds:
            raise Malformed(f"it is not so that {rule}")
