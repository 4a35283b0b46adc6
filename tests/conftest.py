"""What several test files share: gilstudy built for every CPython that is found."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from interpreters import VERSIONS, Interpreter, build, require

from gilstudy.lessons.lesson import Setting, usable_cpus


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Have Ctrl-C work in what the tests start, also where a shell that put them in the background ignores it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
def a_setting() -> Setting:
    return Setting(n=200_000, cpus=usable_cpus())
