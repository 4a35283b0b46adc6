"""Other CPythons on this machine, and gilstudy built for each from its sources."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import pytest

VERSIONS = ("3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t")
ROOT = Path(__file__).parent.parent
FACTS = """
import json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2] + ("t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""),
    "build": sys.version,
    "include": sysconfig.get_path("include"), "suffix": sysconfig.get_config_var("EXT_SUFFIX")}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython with its header files."""

    version: str
    build: str
    """Its ``sys.version``."""
    python: str
    include: str
    suffix: str

    @property
    def is_own(self) -> bool:
        """Whether it is the one that runs the tests."""
        return self.build == sys.version


@cache
def find(version: str) -> Interpreter | None:
    """The interpreter of this version on PATH or under pyenv; None if there is none that works and has its headers."""
    name = f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [shutil.which(name), *sorted(map(str, pyenv.glob(f"*/bin/{name}")))]
    for python in filter(None, candidates):
        done = subprocess.run([python, "-c", FACTS], capture_output=True, text=True, check=False, timeout=60)
        if done.returncode:
            continue
        facts = json.loads(done.stdout)
        if facts["version"] == version and (Path(facts["include"]) / "Python.h").is_file():
            return Interpreter(version, facts["build"], python, facts["include"], facts["suffix"])
    return None


def require(version: str) -> Interpreter:
    """The interpreter of this version, or skip the test."""
    found = find(version)
    if found is None:
        kind = "free-threaded" if version.endswith("t") else f"Python {version}"
        pytest.skip(f"skipped: no {kind} interpreter found" + (f" ({version})" if kind == "free-threaded" else ""))
    return found


EXTENSIONS = tuple(sorted(path.stem for path in (ROOT / "ext").glob("*.pyx")))
BESIDE = {"_gilwatch": ("gilcore.c",)}
"""The C files that belong to an extension beside what Cython makes, as in setup.py."""


def build(interpreter: Interpreter, folder: Path, kept: Path | None = None) -> Path:
    """Build the package for ``interpreter``; return the folder to put on its path.

    Args:
        interpreter: for which.
        folder: where to.
        kept: a folder that outlives the session, with what was compiled of the same sources in the same way.
    """
    target = folder / interpreter.version / "gilstudy"
    shutil.copytree(ROOT / "src/gilstudy", target, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__"))
    provide(interpreter, target, EXTENSIONS, folder, kept)
    return target.parent


def provide(
    interpreter: Interpreter,
    target: Path,
    names: Sequence[str],
    folder: Path,
    kept: Path | None = None,
    compiler: str = "",
) -> None:
    """Have these extensions in the folder ``target``: as they were kept, or compiled now.

    Args:
        interpreter: for which.
        target: where to.
        names: which.
        folder: where their C sources are, or are made.
        kept: as for `build`.
        compiler: another than this Python was built with.
    """
    compiler = compiler or compiler_of_python()
    ours = kept is not None and is_ours_alone(kept)
    store = kept / interpreter.version / _digest(interpreter, names, compiler) if kept and ours else None
    if store and store.is_dir():
        for extension in store.iterdir():
            shutil.copy2(extension, target)
        return

    def compile_one(source: Path) -> None:
        beside = (ROOT / "ext" / name for name in BESIDE.get(source.stem, ()))
        compile_extension(interpreter, target, source, *beside, compiler=compiler)

    with ThreadPoolExecutor() as pool:
        list(pool.map(compile_one, (source for source in c_sources(folder) if source.stem in names)))
    if store:
        _keep(store, (target / (name + interpreter.suffix) for name in names))


def is_ours_alone(folder: Path) -> bool:
    """Whether nobody else can put into ``folder`` what we would then run."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return os.name == "posix" and found.st_uid == os.geteuid() and not found.st_mode & 0o022


def _digest(interpreter: Interpreter, names: Sequence[str], compiler: str) -> str:
    """Of all that decides what is compiled: sources, tools, interpreter."""
    tools = COMMAND, compiler, _version_of(compiler), version("Cython")
    made_of = hashlib.sha256(repr((interpreter, sorted(names), tools)).encode())
    for path in sorted((ROOT / "ext").iterdir()):
        if path.is_file():
            made_of.update(path.name.encode() + b"\0" + path.read_bytes())
    return made_of.hexdigest()


@cache
def _version_of(compiler: str) -> str:
    return subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout


def _keep(store: Path, extensions: Iterable[Path]) -> None:
    """Keep these. A store is whole or it is not there; those that nobody made for a week are given up."""
    store.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=store.parent))
    for extension in extensions:
        shutil.copy2(extension, making)
    with contextlib.suppress(OSError):  # another session was faster
        making.rename(store)
    for other in {making, *store.parent.iterdir()} - {store}:
        if other == making or time.time() - other.stat().st_mtime > WEEK_S:
            shutil.rmtree(other, ignore_errors=True)


def compiler_of_python() -> str:
    """The compiler that this Python was built with."""
    return shlex.split(sysconfig.get_config_var("CC") or "cc")[0]


WEEK_S = 7 * 24 * 3600
COMMAND = ("-O1", "-fPIC", "-shared", "-pthread", "-DCYTHON_USE_MODULE_STATE=1")
"""As in setup.py, but for ``-O1``: two thirds of the compiler's time, and it moves loads and stores too."""


def compile_extension(interpreter: Interpreter, target: Path, *sources: Path, compiler: str = "") -> None:
    """Compile C sources to one extension module in the folder ``target``, named after the first of them."""
    command = [compiler or compiler_of_python(), *COMMAND]
    command += ["-I", interpreter.include, "-I", str(ROOT / "ext"), *map(str, sources)]
    subprocess.run([*command, "-o", str(target / (sources[0].stem + interpreter.suffix))], check=True)


def c_sources(folder: Path) -> list[Path]:
    """The C sources that Cython makes of the extensions, made once for all interpreters."""
    made = folder / "c"
    if not made.exists():
        made.mkdir()
        with ThreadPoolExecutor() as pool:
            list(pool.map(partial(_translate, made), (ROOT / "ext").glob("*.pyx")))
    return sorted(made.glob("*.c"))


def _translate(made: Path, pyx: Path) -> None:
    output = str(made / f"{pyx.stem}.c")
    command = [sys.executable, "-m", "cython", "--module-name", f"gilstudy.{pyx.stem}", str(pyx), "-o", output]
    subprocess.run(command, check=True)


def run(interpreter: Interpreter, path: Path, code: str, *, timeout_s: float = 120) -> str:
    """What ``code`` prints under ``interpreter``, with warnings as errors; it must succeed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [interpreter.python, "-W", "error", "-c", code],
        env=environment | {"PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
