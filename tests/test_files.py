"""Files are written as a whole, and a file that is no study gets one clear line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from builders import a_record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gilstudy.errors import BadInput
from gilstudy.files import check_writable, document, load, save, write_atomically
from gilstudy.findings import conclude
from gilstudy.record import SCHEMA

RECORD = a_record(rounds=9)
FINDINGS = conclude(RECORD)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    save(tmp_path / "study.json", RECORD, FINDINGS)
    return tmp_path / "study.json"


def test_a_saved_study_is_read_back_whole(saved: Path) -> None:
    assert load(saved) == RECORD
    assert conclude(load(saved)) == FINDINGS


def test_the_document_keeps_the_public_contract(saved: Path) -> None:
    given = json.loads(saved.read_text())
    assert given["schema"] == SCHEMA == 1
    assert {"schema", "gilstudy", "record", "findings"} == set(given)
    assert {"trials", "host", "runtimes", "plan", "cautions"} <= set(given["record"])
    (threads,) = [arm for arm in given["findings"]["arms"] if arm["arm"] == "threads"]
    assert threads["workers"] == 2
    assert {"point", "low", "high", "level"} <= set(threads["speedup"])
    assert {"point", "low", "high", "level"} <= set(threads["gain"])
    assert {"point", "low", "high", "level"} <= set(threads["cores_used"])
    assert threads["speedup"]["level"] == 0.95
    assert threads["verdict"] == "does-not-scale"
    assert {claim["id"]: claim["verdict"] for claim in given["findings"]["claims"]}["processes-scale"] == "supported"


def test_bounds_that_are_not_finite_are_null_in_the_file() -> None:
    few = a_record(rounds=2)
    text = json.dumps(document(few, conclude(few)), allow_nan=False)
    assert '"high": null' in text


def broken(**changes: Any) -> str:
    given = document(RECORD, FINDINGS)
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = given
        for parent in parents:
            target = target[parent]
        target[last] = value
    return json.dumps(given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "damaged or cut short"),
        ("not json", "damaged or cut short"),
        ("[" * 100_000, "damaged or cut short"),
        ("[1, 2]", "is not a study of gilstudy"),
        ('{"benchmarks": []}', "is not a study of gilstudy"),
        (broken(schema=2), "upgrade gilstudy"),
        (broken(schema="one"), "its schema is 'one'"),
        (broken(schema=True), "its schema is True"),
        (broken(record=None), "is damaged: Record should be dict"),
        (broken(record__plan__level=1.5), "level and looks are in range"),
        (broken(record__plan__workers=[]), "there are worker counts"),
        (broken(record__plan__arms=[]), "the plan has one ceiling"),
        (broken(record__host__usable_cpus=[]), "the host has CPUs"),
        (broken(record__trials=[1]), r"Record.trials\[0\] should be dict"),
    ],
)
def test_what_is_no_study_gets_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, share: float) -> None:
    text = json.dumps(document(RECORD, FINDINGS))
    path = tmp_path / "cut.json"
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(BadInput):
        load(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        load(tmp_path / "none.json")
    with pytest.raises(BadInput, match="cannot read"):
        load(tmp_path)


def test_binary_rubbish_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(range(256)))
    with pytest.raises(BadInput, match="damaged"):
        load(tmp_path / "x")


def test_what_cannot_be_written_is_known_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(BadInput, match="there is no folder"):
        check_writable(tmp_path / "none" / "study.json")
    check_writable(tmp_path / "study.json")


def test_a_failed_write_leaves_the_old_file_and_no_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "study.json"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BadInput, match="No space left on device"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_replaced_file_keeps_its_permissions_and_a_new_one_obeys_the_umask(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text("")
    old.chmod(0o640)
    write_atomically(old, "x")
    assert old.stat().st_mode & 0o777 == 0o640
    umask = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new.json", "x")
    finally:
        os.umask(umask)
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == 0o640
