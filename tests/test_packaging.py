"""The sources are complete, and a missing compiler is told in plain words."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from importlib.metadata import files, requires
from pathlib import Path

import pytest
from pages import ROOT, anchors, code, links

SOURCES = ("ext", "src", "setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "tests", "bench", "docs")
FILES = ("CHANGELOG.md", "CONTRIBUTING.md")


def copy_sources(folder: Path) -> Path:
    """A copy without anything that was built."""
    skipped = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info", ".hypothesis", ".pytest_cache")
    for name in (*SOURCES, *FILES):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=skipped)
        else:
            shutil.copy(source, folder / name)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return copy_sources(tmp_path)


# Compiles without optimising, which is quicker, and links like a compiler that has no 8-byte atomics of its own.
COMPILER = """#!/bin/sh
echo "$*" >> "{log}"
case " $* " in
*" -c "* | *" -latomic "*) ;;
*tried*) echo "ld: tried.c: undefined reference to __atomic_load_8" >&2; exit 1 ;;
esac
for word do
    shift
    [ "$word" = -latomic ] || set -- "$@" "$word"
done
exec {real} "$@" -O0
"""


@pytest.fixture(scope="module")
def without_watch(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A tree that was built though ``gilcore.c`` cannot be compiled; the compiler's command lines; what was printed."""
    if os.name != "posix":
        pytest.skip("CC names the compiler on POSIX only")
    tree = copy_sources(tmp_path_factory.mktemp("tree"))
    with (tree / "ext/gilcore.c").open("a", encoding="utf-8") as source:
        source.write('\n#error "headers of another world"\n')
    real = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    compiler = tree / "compiler"
    compiler.write_text(COMPILER.format(log=tree / "log", real=real))
    compiler.chmod(0o755)
    done = setup(tree, "build_ext", "--inplace", CC=str(compiler), LDSHARED=f"{compiler} -shared")
    assert done.returncode == 0, done.stderr
    return tree, (tree / "log").read_text(encoding="utf-8"), done.stderr


def gilstudy(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gilstudy", *arguments],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


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
        facts = opened.extractfile(f"{archive.name.removesuffix('.tar.gz')}/PKG-INFO")
        assert facts
        described = facts.read().decode().partition("\n\n")[2]
    tracked = [path for folder in ("ext", "src", "tests", "bench", "docs") for path in (checkout / folder).rglob("*.*")]
    wanted = {
        str(path.relative_to(checkout))
        for path in tracked
        if path.is_file() and path.suffix not in (".c", ".pyc") and "egg-info" not in str(path)
    }
    assert wanted - names == set()
    assert {"README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "bench/limit.c"} <= names
    check_what_an_index_shows(described)


def check_what_an_index_shows(described: str) -> None:
    """README and all pages, with links that lead within them: an index has nothing beside."""
    for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        whole = page.read_text(encoding="utf-8")
        assert set(anchors(whole)) <= set(anchors(described)), page
        assert set(code(whole)) <= set(code(described)), page
    within = [link for link in links(described) if not link.startswith("https://")]
    assert len(within) > 20
    assert {link.removeprefix("#") for link in within} <= set(anchors(described))
    assert "](" not in re.sub(r"\]\((#|https://)", "", described)


@pytest.mark.skipif(os.name != "posix", reason="CC names the compiler on POSIX only")
def test_a_missing_compiler_is_told_in_plain_words(checkout: Path) -> None:
    done = setup(checkout, "build_ext", CC="no-such-compiler", PATH=os.defpath)
    assert done.returncode == 1
    assert "It needs a C compiler and Python's header files" in done.stderr
    assert "apt install gcc python3-dev" in done.stderr
    assert "no-such-compiler" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_cannot_be_compiled_is_named_with_the_compilers_own_line(checkout: Path) -> None:
    with (checkout / "ext/loops.h").open("a", encoding="utf-8") as source:
        source.write('\n#error "no loops today"\n')
    done = setup(checkout, "build_ext")
    assert done.returncode == 1
    assert "It needs a C compiler and Python's header files" in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("  gilstudy._kernels: ") and "no loops today" in last
    assert "Traceback" not in done.stderr


def test_only_the_watch_is_missing_where_it_cannot_be_compiled(without_watch: tuple[Path, str, str]) -> None:
    tree, _, printed = without_watch
    assert "without its extension gilstudy._gilwatch" in printed
    built = {path.name.partition(".")[0] for path in (tree / "src/gilstudy").glob("*.so")}
    assert built == {"_kernels", "_native"}
    study = gilstudy(tree, "bench", "--budget", "1.5", "--quiet", "--arms", "threads-nogil")
    assert study.returncode == 0, study.stderr
    probed = gilstudy(tree, "probe", "time:sleep", "--args", "0.001")
    assert probed.returncode == 0, probed.stderr
    assert "headers of another world" in " ".join(probed.stdout.split())
    traced = gilstudy(tree, "trace", "threads")
    assert traced.returncode == 125
    assert traced.stdout == ""
    (line,) = traced.stderr.splitlines()
    assert line.startswith("gilstudy trace: nothing can be watched, so nothing was run: gilstudy was installed without")
    assert "headers of another world" in line


def test_atomics_that_are_calls_are_linked_to_their_library(without_watch: tuple[Path, str, str]) -> None:
    _, commands, _ = without_watch
    links = [line for line in commands.splitlines() if "-shared" in line.split()]
    assert links and all("-latomic" in line.split() for line in links)


def test_the_installed_package_is_typed_and_light() -> None:
    needed = [line for line in requires("gilstudy") or [] if "extra ==" not in line]
    assert sorted(line.split(">")[0] for line in needed) == ["psutil", "rich"]
    installed = [str(path) for path in files("gilstudy") or []]
    if not any("editable" in name or name.endswith(".egg-link") for name in installed):
        assert any(name.endswith("gilstudy/py.typed") for name in installed)
