"""The C sources under each compiler that is found: they compile without a warning, and what was built works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from interpreters import ROOT, VERSIONS, Interpreter, find, provide, require, run

EXT = ROOT / "ext"
pytestmark = pytest.mark.skipif(not EXT.is_dir(), reason="the sources of the extensions are not beside the tests")

STRICT = ("-c", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror")
ALONE = ("-Wno-unused-function",)
"""Headers compiled alone: what they define is used by the code that Cython makes."""

SHARED = ("change_head", "queue_head", "seen_count", "turn_head", "lane_count", "end_ns", "polls", "stop", "phase")
WATCH = r"""
#include <stddef.h>
#include "gilwatches.h"
#define IS_ALIGNED(field) _Static_assert(offsetof(gs_watch, field) % 8 == 0, #field)
CHECKS
_Static_assert(_Alignof(gs_watch) == 8 && _Alignof(gs_shared) == 8, "aligned");
const char *gs_gil_reason(unsigned long interval_us) { return interval_us ? "" : "no"; }
gs_gil gs_gil_read(void) { gs_gil none = {GS_GIL_FREE, 0}; return none; }
uint64_t gs_gil_newest(void) { return 0; }
int gs_gil_threads(gs_pythread *out, int room) { return out == NULL && room; }
void gs_gil_extent(uint64_t *begin, uint64_t *end) { *begin = *end = 0; }
int gs_gil_waiters(void) { return 0; }
int gs_gil_queued(void) { return 0; }
int gs_gil_counts(uint64_t address) { return (void)address, 0; }
int gs_gil_signal_waits(void) { return 0; }
uint64_t gs_gil_interval(void) { return 5000; }
int64_t gs_gil_others(void) { return 0; }
int main(void)
{
    gs_watch *w = gs_new_watch(50000, 2000000, 10000000, 64, 64);
    if (w == NULL || gs_prepare_for_forks() || gs_start_watch(w, 1, 1) != 1)
        return 2;
    while (GS_LOAD(&w->polls) < 20)
        gs_nap(gs_now_ns() + 100000);
    gs_stop_watch(w);
    gs_free_watch(w);
    return 0;
}
"""


@pytest.fixture(params=["gcc", "clang"])
def compiler(request: pytest.FixtureRequest) -> str:
    if sys.platform == "win32" or shutil.which(request.param) is None:
        pytest.skip(f"skipped: no {request.param} found")
    return str(request.param)


def compiled(command: Sequence[str | Path]) -> str:
    """What the compiler says; "" if all is well."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=300)
    return done.stderr if done.returncode else ""


def strictly(compiler: str, interpreter: Interpreter, source: Path, target: Path, *options: str) -> str:
    """As above; the interpreter's own headers are not ours to mend, so they are not warned of."""
    beside: list[str | Path] = ["-isystem", interpreter.include, "-I", EXT]
    return compiled([compiler, *STRICT, *options, *beside, source, "-o", target])


@pytest.mark.parametrize("version", VERSIONS)
def test_what_sees_the_interpreters_own_headers_compiles_without_a_warning(
    compiler: str, version: str, tmp_path: Path
) -> None:
    assert strictly(compiler, require(version), EXT / "gilcore.c", tmp_path / "out.o") == ""


def test_the_other_headers_compile_without_a_warning(compiler: str, tmp_path: Path) -> None:
    interpreter = next(filter(None, map(find, VERSIONS)), None)
    if interpreter is None:
        pytest.skip("skipped: no interpreter with its headers found")
    source = tmp_path / "all.c"
    source.write_text("#include <Python.h>\n" + "".join(f'#include "{header.name}"\n' for header in headers()))
    assert strictly(compiler, interpreter, source, tmp_path / "out.o", *ALONE) == ""


def headers() -> list[Path]:
    return sorted(EXT.glob("*.h"))


def test_clang_builds_a_watch_that_works(
    built: tuple[Interpreter, Path], builds: dict[str, Path], kept: Path | None
) -> None:
    interpreter, path = built
    if shutil.which("clang") is None:
        pytest.skip("skipped: no clang found")
    package = builds[""] / "clang" / interpreter.version / "gilstudy"
    shutil.copytree(path / "gilstudy", package, ignore=shutil.ignore_patterns("_gilwatch*.so"))
    provide(interpreter, package, ["_gilwatch"], builds[""], kept, "clang")
    assert list(package.glob("_gilwatch*"))
    code = "import gilstudy\nwith gilstudy.watch() as w: pass\nprint(w.gil_reason)"
    reason = "not applicable: this build has no GIL" if interpreter.version.endswith("t") else ""
    assert run(interpreter, package.parent, code).strip() == reason


@pytest.mark.parametrize("width", ["-m32", "-m64"])
def test_the_watch_runs_in_both_widths_of_words(compiler: str, width: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty.c"
    empty.write_text("#include <stdio.h>\nint main(void) { return 0; }\n")
    if compiled([compiler, width, empty, "-o", tmp_path / "empty"]):
        pytest.skip(f"skipped: {compiler} has no C library for {width} here")
    source, program = tmp_path / "watch.c", tmp_path / "watch"
    source.write_text(WATCH.replace("CHECKS", "".join(f"IS_ALIGNED({field});" for field in SHARED)))
    options = [width, "-D_GNU_SOURCE", "-pthread", *(word for word in STRICT if word != "-c"), *ALONE]
    assert compiled([compiler, *options, "-I", EXT, source, "-o", program]) == ""
    assert subprocess.run([program], timeout=60).returncode == 0
