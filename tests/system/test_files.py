"""Files are written as a whole, through links and into devices, and read within bounds."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from gilstudy.errors import BadInput
from gilstudy.system.files import check_writable, read, write


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
            read(tmp_path / path)


@posix
def test_a_pipe_is_read_to_its_end() -> None:
    text = "线程 " * 100_000  # more than a pipe holds
    ours, theirs = os.pipe()

    def fill() -> None:
        with open(theirs, "wb") as pipe:  # noqa: PTH123
            pipe.write(text.encode())

    if not Path(f"/dev/fd/{ours}").exists():
        pytest.skip("no /dev/fd")
    writer = threading.Thread(target=fill, daemon=True)
    writer.start()
    assert read(Path(f"/dev/fd/{ours}")) == text
    writer.join(60)
    os.close(ours)
