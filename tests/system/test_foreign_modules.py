"""Files that are named like modules of the standard library: no child is led to them, and who is, is told in a line."""

from __future__ import annotations

import multiprocessing
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import rich

import gilstudy

PACKAGE = Path(gilstudy.__file__).parent
BACKPORTS = ("enum", "functools", "json", "multiprocessing", "pathlib", "queue", "random", "signal", "typing")

# What runs in children: an arm of each start method, with its workers; programs of lessons; an experiment.
CHILDREN = """
import sys
sys.path += PATHS
import gilstudy
from gilstudy.codec import encode
from gilstudy.experimenting.conduct import observe
from gilstudy.measuring.plan import arm_of
from gilstudy.measuring.client import Client
assert gilstudy.__file__.startswith(PATHS[0]), gilstudy
for method in METHODS:
    line = Client(method)
    try:
        line.ask("open", 60, arm=encode(arm_of(f"processes[{method}]")), workers=1)
        print(len(line.ask("trial", 60, batch=1000, cpus=[-1], warm_ns=1000, window_ns=1000)["spans"]))
    finally:
        line.end()
seen = observe(("sharing", "costs"))
print(seen.troubles, seen.sharing.added)
"""


def test_what_lies_beside_gilstudy_comes_after_the_standard_library_in_every_child(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    shutil.copytree(PACKAGE, site / "gilstudy", ignore=shutil.ignore_patterns("__pycache__"))
    for name in BACKPORTS:
        (site / f"{name}.py").write_text(f"raise RuntimeError('the wrong {name}')")
    paths = [str(site), *(str(Path(module.__file__ or "").parent.parent) for module in (rich, psutil))]
    methods = multiprocessing.get_all_start_methods()
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"PATHS, METHODS = {paths!r}, {methods!r}\n{CHILDREN}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["1"] * len(methods) + ["() 8"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("random.py", ""),
        ("random.py", "import sys; sys.exit(0)"),
        ("argparse.py", "raise RuntimeError('not argparse')"),
        ("gettext.py", "x = ("),
        ("json/__init__.py", "raise KeyError('not json')"),
        ("secrets.py", "from gilstudy import no_such_thing"),
    ],
)
def test_a_file_that_stands_in_for_the_standard_library_is_named_in_one_line(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(text)
    done = bench_in(tmp_path, "--json", "study.json")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    module = name.partition("/")[0].removesuffix(".py")
    says = f"python -m gilstudy.bench: error: '{tmp_path / name}' stands in for {module} of the standard library: "
    assert line.startswith(says)


def test_files_that_are_never_imported_do_not_matter(tmp_path: Path) -> None:
    for name in ("code.py", "turtle.py", "station.py", "trace.py"):
        (tmp_path / name).write_text("raise RuntimeError('who imports this?')")
    (tmp_path / "test").mkdir()
    done = bench_in(tmp_path, "--workers", "0")
    assert done.stderr.startswith("python -m gilstudy.bench: error: worker counts go from 1")


def bench_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gilstudy.bench", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
