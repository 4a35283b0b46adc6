"""What several test files share: gilstudy built for every CPython that is found."""

from __future__ import annotations

import json
import os
import signal
import warnings
from pathlib import Path
from typing import Any

import pytest
from interpreters import VERSIONS, Interpreter, build, require

from gilstudy.concluding.findings import conclude, is_enough
from gilstudy.host.machine import read_host
from gilstudy.lessons.lesson import Setting, usable_cpus
from gilstudy.measuring.conductor import run_study
from gilstudy.measuring.plan import make_plan
from gilstudy.measuring.record import Record
from gilstudy.report.study import document


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Have Ctrl-C work in what the tests start, also where a shell that put them in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def bytecode() -> None:
    """Have what the tests start keep what it compiled: some hundreds of them start with the same modules."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"": tmp_path_factory.mktemp("builds")}


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Path | None:
    """Where what was compiled outlives the session; ``--cache-clear`` empties it."""
    cache = getattr(request.config, "cache", None)
    if cache is None:
        return None
    folder: Path = cache.mkdir("compiled")
    folder.chmod(0o700)
    return folder


@pytest.fixture(params=VERSIONS)
def built(request: pytest.FixtureRequest, builds: dict[str, Path], kept: Path | None) -> tuple[Interpreter, Path]:
    interpreter = require(request.param)
    if request.param not in builds:
        builds[request.param] = build(interpreter, builds[""], kept)
    return interpreter, builds[request.param]


@pytest.fixture(scope="session")
def own_study() -> tuple[Record, Any]:
    """A study by the interpreter that runs the tests, and its document; a warning would be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        record = run_study(make_plan(workers=(2,), budget_s=20), read_host(), enough=is_enough)
        return record, json.loads(json.dumps(document(record, conclude(record))))


@pytest.fixture(scope="session")
def a_setting() -> Setting:
    return Setting(n=200_000, cpus=usable_cpus())
