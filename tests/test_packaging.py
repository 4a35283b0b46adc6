"""The sources are complete, and a missing compiler is told in plain words."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
from importlib.metadata import files, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = ("ext", "src", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "tests", "bench")
FILES = ("CHANGELOG.md", "CONTRIBUTING.md")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy without anything that was built."""
    skipped = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info", ".hypothesis", ".pytest_cache")
    for name in (*SOURCES, *FILES):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=skipped)
        else:
            shutil.copy(source, tmp_path / name)
    return tmp_path


def setup(checkout: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "-q", *arguments],
        cwd=checkout,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_source_archive_holds_all_that_is_needed_to_build_and_test(checkout: Path) -> None:
    done = setup(checkout, "sdist", "--formats=gztar")
    assert done.returncode == 0, done.stderr
    (archive,) = (checkout / "dist").glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    tracked = [path for folder in ("ext", "src", "tests", "bench") for path in (checkout / folder).rglob("*.*")]
    wanted = {
        str(path.relative_to(checkout))
        for path in tracked
        if path.is_file() and path.suffix not in (".c", ".pyc") and "egg-info" not in str(path)
    }
    assert wanted - names == set()
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "bench/limit.c"} <= names


@pytest.mark.skipif(os.name != "posix", reason="CC names the compiler on POSIX only")
def test_a_missing_compiler_is_told_in_plain_words(checkout: Path) -> None:
    done = setup(checkout, "build_ext", CC="no-such-compiler", PATH=os.defpath)
    assert done.returncode == 1
    assert "It needs a C compiler and Python's header files" in done.stderr
    assert "apt install gcc python3-dev" in done.stderr
    assert "no-such-compiler" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_installed_package_is_typed_and_light() -> None:
    needed = [line for line in requires("gilstudy") or [] if "extra ==" not in line]
    assert sorted(line.split(">")[0] for line in needed) == ["psutil", "rich"]
    installed = [str(path) for path in files("gilstudy") or []]
    if not any("editable" in name or name.endswith(".egg-link") for name in installed):
        assert any(name.endswith("gilstudy/py.typed") for name in installed)
