"""What several test files share: gilstudy built for every CPython that is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from interpreters import VERSIONS, Interpreter, build, require


@pytest.fixture(scope="session")
def builds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {"": tmp_path_factory.mktemp("builds")}


@pytest.fixture(params=VERSIONS)
def built(request: pytest.FixtureRequest, builds: dict[str, Path]) -> tuple[Interpreter, Path]:
    interpreter = require(request.param)
    if request.param not in builds:
        builds[request.param] = build(interpreter, builds[""])
    return interpreter, builds[request.param]
