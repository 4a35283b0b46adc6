"""Every program behaves under ``gilstudy trace`` as it does under Python: the programs are in `programs`."""

from __future__ import annotations

from pathlib import Path

import pytest
from differential import tried
from programs import CASES, DIFFERS, OFTEN_HANGS, has_fork

pytestmark = pytest.mark.skipif(not has_fork(), reason="the programs fork, and look into /proc")


@pytest.mark.parametrize("name", CASES)
def test_a_program_does_not_notice_that_it_is_traced(name: str, tmp_path: Path) -> None:
    if name in OFTEN_HANGS:
        pytest.skip(DIFFERS[name])
    found = tried(CASES[name], tmp_path)
    if name in DIFFERS and [part.partition(":")[0] for part in found] == ["err"]:  # and in nothing else
        pytest.xfail(DIFFERS[name])
    assert not found, "\n".join(found)
