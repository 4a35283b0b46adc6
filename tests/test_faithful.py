"""Every program behaves under ``gilstudy trace`` as it does under Python: the programs are in `programs`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from differential import tried
from programs import CASES, has_fork

pytestmark = pytest.mark.skipif(not has_fork(), reason="the programs fork, and look into /proc")


@pytest.mark.parametrize("name", CASES)
def test_a_program_does_not_notice_that_it_is_traced(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    if not case.since <= sys.version_info[:2] <= case.until:
        pytest.skip("not for this version of Python")
    found = tried(case, tmp_path)
    assert not found, "\n".join(found)
