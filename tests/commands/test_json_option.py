"""``--json -`` is standard output, whatever the command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parent.parent / "samples/study-2.json"


def gilstudy(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gilstudy", *words], capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("words", [("report", str(SAMPLE)), ("info",), ("lesson", "thread-names")])
def test_a_dash_is_standard_output_and_the_document_is_all_that_is_there(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = gilstudy(*words, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["gilstudy"]


def test_what_is_told_goes_to_standard_error_then() -> None:
    plain, beside = gilstudy("report", str(SAMPLE)), gilstudy("report", str(SAMPLE), "--json", "-")
    assert beside.stderr == plain.stdout
    assert plain.stderr == ""


def test_a_dash_alone_is_no_lesson() -> None:
    done = gilstudy("lesson", "-")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no lesson '-'" in done.stderr
