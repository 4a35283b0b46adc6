"""Files are written as a whole, and a file that is no study gets one clear line."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from builders import OF_SCHEMA_1, a_record
from properties import given, settings, st

from gilstudy.concluding.findings import conclude
from gilstudy.errors import BadInput
from gilstudy.measuring.record import SCHEMA
from gilstudy.report.study import document, load, save
from gilstudy.system.files import check_writable, read, write

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
    assert given["schema"] == SCHEMA == 2
    assert {"schema", "gilstudy", "record", "findings"} == set(given)
    assert {"trials", "host", "runtimes", "plan"} <= set(given["record"])
    assert {"arms", "claims", "cautions"} == set(given["findings"])
    (threads,) = [arm for arm in given["findings"]["arms"] if arm["arm"] == "threads"]
    assert threads["workers"] == 2
    assert {"point", "low", "high", "level"} <= set(threads["speedup"])
    assert {"point", "low", "high", "level"} <= set(threads["gain"])
    assert {"point", "low", "high", "level"} <= set(threads["cores_used"])
    assert threads["speedup"]["level"] == 0.95
    assert threads["verdict"] == "does-not-scale"
    assert {claim["id"]: claim["verdict"] for claim in given["findings"]["claims"]}["processes-scale"] == "supported"


def test_bounds_that_are_not_finite_are_null_in_the_file(tmp_path: Path) -> None:
    few = a_record(rounds=2)
    save(tmp_path / "few.json", few, conclude(few))
    text = (tmp_path / "few.json").read_text()
    assert '"high":null' in text


CASES = document(RECORD, None)["record"]["plan"]["cases"]
CEILING = {"name": "ceiling", "kernel": "native", "mode": "native", "baseline": "ceiling", "start_method": ""}


def broken(**changes: Any) -> str:
    return _changed(document(RECORD, FINDINGS), changes)


def old(**changes: Any) -> str:
    """A document of schema 1, with changes."""
    return _changed(json.loads(OF_SCHEMA_1.read_text()), changes)


def _changed(given: Any, changes: dict[str, Any]) -> str:
    for path, value in changes.items():
        *parents, last = path.split("__")
        target: Any = given
        for parent in parents:
            target = target[int(parent) if parent.isdecimal() else parent]
        target[last] = value
    return json.dumps(given)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "damaged or cut short"),
        ("not json", "damaged or cut short"),
        ("[" * 100_000, "nests values too deeply"),
        ("[1, 2]", "is not a study of gilstudy"),
        ('{"benchmarks": []}', "is not a study of gilstudy"),
        (broken(schema=3), "upgrade gilstudy"),
        (broken(schema="one"), "its schema is 'one'"),
        (broken(schema=True), "its schema is True"),
        (broken(record=None), "is damaged: Record should be dict"),
        (broken(record__plan__level=1.5), "Record.plan.level should be from 0.5 to 0.999, not 1.5"),
        (broken(record__plan__workers=[]), "there are worker counts"),
        (broken(record__plan__cases=[]), "the plan has one ceiling"),
        (broken(record__host__usable_cpus=[]), "the host has CPUs"),
        (broken(record__trials=[1]), r"Record.trials\[0\] should be dict"),
        (broken(record__plan__looks=10**18), "Record.plan.looks should be from 1 to 1,000"),
        (broken(record__elapsed_s=10**400), "Record.elapsed_s should be from"),
        (broken(record__elapsed_s=float("nan")), "Record.elapsed_s should be from 0 to"),
        (broken(record__elapsed_s=float("inf")), "Record.elapsed_s should be from 0 to"),
        (broken(record__cautions=[]), "Record has an unknown cautions"),
        (broken(record__plan__cases__0__arm__mode=[[1] * 3]), "arm.mode should be str, not list"),
        (broken(record__plan__cases__0__arm__mode="threads-nogil"), "every arm has the name of its parts"),
        (broken(record__plan__cases__0__arm__option="\u001b]x"), "every arm has the name of its parts"),
        (broken(record__plan__cases__0__arm__kernel="omp"), "every baseline is an arm"),
        (broken(record__plan__cases__0__workers=513), r"cases\[0\].workers should be from 1 to 512"),
        (broken(record__plan__cases=CASES * 2), "every case is there once"),
        (broken(record__plan__cases=CASES[1:]), "every baseline is an arm"),
        (broken(record__trials__0__workers=3), "every trial is of a case of the plan"),
        (broken(record__unavailable=[{"arm": "omp", "reason": ""}]), "every arm that was lost is one of the plan's"),
        (broken(record__failures=[{"arm": "single", "round": -1, "reason": ""}]), "round should be from 0 to"),
        (broken(schema=1), "is damaged: it is not a record of schema 1"),
        (old(record=None), "is damaged: it is not a record of schema 1"),
        (old(record__plan__arms__0__mode="threads"), "every case is there once"),
        (old(record__plan__arms=[{}] * 2), "it is not a record of schema 1"),
        (old(record__plan__arms=[CEILING] * 1001), "its plan has more than 1000 arms"),
        (old(record__plan__workers=[10**400]), "whole numbers from 1 to 512"),
        (old(record__plan__workers=[[]]), "it is not a record of schema 1"),
        (old(record__plan__level=1.5), "Record.plan.level should be from 0.5 to 0.999, not 1.5"),
        (old(record__laps=[{}]), "it is not a record of schema 1"),
        ('{"gilstudy": 1, "schema": ' + "9" * 5000 + "}", "damaged or cut short"),
        (broken(gilstudy="\x1b[31m" * 1000, schema=9**999), "was written by"),
    ],
)
def test_what_is_no_study_gets_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "given.json"
    path.write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@settings(max_examples=60)
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
        write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")
def test_a_replaced_file_keeps_its_permissions_and_a_new_one_obeys_the_umask(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text("")
    old.chmod(0o640)
    write(old, "x")
    assert old.stat().st_mode & 0o777 == 0o640
    umask = os.umask(0o027)
    try:
        write(tmp_path / "new.json", "x")
    finally:
        os.umask(umask)
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == 0o640


# -- any kind of file --------------------------------------------------------------------------------------------------

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX files")


def kinds_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IFMT(path.lstat().st_mode) for path in folder.iterdir()}


@posix
@pytest.mark.parametrize("there", [True, False], ids=["to a file", "to none"])
def test_a_link_stays_and_its_target_is_written(tmp_path: Path, there: bool) -> None:
    (tmp_path / "folder").mkdir()
    target, link, chain = tmp_path / "folder" / "real.json", tmp_path / "link.json", tmp_path / "chain.json"
    link.symlink_to("folder/real.json")
    chain.symlink_to(link)
    if there:
        target.write_text("old")
        target.chmod(0o600)
    check_writable(chain)
    write(chain, "new")
    assert target.read_text() == "new"
    assert link.is_symlink() and chain.is_symlink()
    assert kinds_in(tmp_path / "folder") == {"real.json": stat.S_IFREG}
    assert not there or target.stat().st_mode & 0o777 == 0o600


@posix
def test_a_device_is_written_to_and_stays() -> None:
    before = Path(os.devnull).stat()
    check_writable(Path(os.devnull))
    write(Path(os.devnull), "x" * 100_000)
    assert Path(os.devnull).stat() == before


@posix
def test_a_fifo_is_written_to_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((tmp_path / "fifo").read_bytes()), daemon=True)
    check_writable(tmp_path / "fifo")  # which must not wait for a reader
    reader.start()
    write(tmp_path / "fifo", b"x" * 200_000)
    reader.join(60)
    assert got == [b"x" * 200_000]
    assert kinds_in(tmp_path) == {"fifo": stat.S_IFIFO}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_device_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/dev/full")
    for path in (Path("/dev/full"), tmp_path / "link"):
        check_writable(path)
        with pytest.raises(BadInput, match=f"cannot write {path}: No space left on device"):
            write(path, "x")


@posix
def test_the_longest_name_that_the_system_takes_is_written(tmp_path: Path) -> None:
    longest = tmp_path / ("n" * os.pathconf(tmp_path, "PC_NAME_MAX"))
    check_writable(longest)
    write(longest, "x")
    assert longest.read_text() == "x"
    with pytest.raises(BadInput, match="File name too long") as told:
        check_writable(longest.with_name(longest.name + "n"))
    assert len(str(told.value)) < 300


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write anywhere")
def test_what_may_not_be_written_is_known_before(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    (tmp_path / "file").chmod(0o400)
    tmp_path.chmod(0o500)
    for name in ("file", "new"):
        with pytest.raises(BadInput, match="Permission denied"):
            check_writable(tmp_path / name)


def test_checking_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old")
    check_writable(tmp_path / "old")
    check_writable(tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_text() == "old"


@posix
@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no /dev/stdout")
def test_our_own_streams_are_written_to_where_they_stand(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from gilstudy.system.files import check_writable, write\n"
        "path = Path(sys.argv[1]); check_writable(path); print('before'); write(path, 'data\\n'); print('after')"
    )
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "out"):
        if not Path(name).parent.exists():
            continue
        with (tmp_path / "out").open("w") as out:
            subprocess.run([sys.executable, "-c", code, name], stdout=out, cwd=tmp_path, check=True, timeout=120)
        assert (tmp_path / "out").read_text() == "before\ndata\nafter\n", name


def test_halves_of_surrogate_pairs_are_escaped_as_json_does(tmp_path: Path) -> None:
    write(tmp_path / "x", '"\udc80"')
    assert json.loads((tmp_path / "x").read_text(encoding="utf-8")) == "\udc80"


# -- reading -----------------------------------------------------------------------------------------------------------


def test_reading_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("x" * (1 << 20))
    assert len(read(path, 1 << 20)) == 1 << 20
    with pytest.raises(BadInput, match="it holds more than 1 MiB"):
        write(path, "x" * ((1 << 20) + 1))
        read(path, 1 << 20)


@posix
def test_what_is_no_file_gets_one_line_and_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path, says in (("fifo", "a pipe that nobody writes to"), (".", "Is a directory"), ("/dev/zero", "a device")):
        with pytest.raises(BadInput, match=says):
            load(tmp_path / path)


@posix
def test_a_pipe_is_read_to_its_end(saved: Path) -> None:
    text = saved.read_bytes()
    ours, theirs = os.pipe()

    def fill() -> None:
        with open(theirs, "wb") as pipe:  # noqa: PTH123
            pipe.write(text)

    if not Path(f"/dev/fd/{ours}").exists():
        pytest.skip("no /dev/fd")
    writer = threading.Thread(target=fill, daemon=True)
    writer.start()
    assert load(Path(f"/dev/fd/{ours}")) == RECORD
    writer.join(60)
    os.close(ours)
