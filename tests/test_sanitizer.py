"""The native watch under AddressSanitizer and UndefinedBehaviorSanitizer, where gcc and its libraries are at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import gilstudy

EXT = Path(__file__).parent.parent / "ext"
PROGRAM = """
import gc, os, subprocess, threading, time
import gilstudy
from gilstudy import _gilwatch
assert "sanitized" in _gilwatch.__file__, _gilwatch.__file__
def busy(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end: pass
for room in (4, 4096):
    watches = [gilstudy.watch(period_us=20, capacity=room) for _ in range(3)]
    for one in watches: one.start()
    for _ in range(5):
        crew = [threading.Thread(target=busy, args=(0.002,)) for _ in range(8)]
        for thread in crew: thread.start()
        watches[0].trace()
        for thread in crew: thread.join()
    child = os.fork()
    if not child:
        for one in watches: one.stop(); one.trace()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    subprocess.run(["true"], check=True)
    for one in watches: one.stop(); one.summary()
    del watches, one; gc.collect()
many = [gilstudy.watch() for _ in range(16)]
for one in many: one.start()
try:
    gilstudy.watch().start()
except OSError:
    print("refused")
del many, one; gc.collect()
last = gilstudy.watch(period_us=20); last.start()
for _ in range(2): threading.Thread(target=busy, args=(99,), daemon=True).start()
time.sleep(0.05)
print("end")
"""


def library(name: str) -> str:
    """Where gcc has one of its libraries; "" if it has not."""
    found = subprocess.run(["gcc", f"-print-file-name={name}"], capture_output=True, text=True).stdout.strip()
    return found if Path(found).is_file() else ""


@pytest.fixture
def sanitized(tmp_path: Path) -> Path:
    """A copy of the package whose watch is built with both sanitizers."""
    if not sys.platform.startswith("linux") or shutil.which("gcc") is None or not library("libasan.so"):
        pytest.skip("no gcc with libasan found")
    if not EXT.is_dir():
        pytest.skip("the sources of the extension are not beside the tests")
    pytest.importorskip("Cython")
    package = tmp_path / "sanitized" / "gilstudy"
    shutil.copytree(Path(gilstudy.__file__).parent, package, ignore=shutil.ignore_patterns("_gilwatch*.so"))
    source = tmp_path / "_gilwatch.c"
    subprocess.run([sys.executable, "-m", "cython", "-3", str(EXT / "_gilwatch.pyx"), "-o", str(source)], check=True)
    out = package / f"_gilwatch{sysconfig.get_config_var('EXT_SUFFIX')}"
    include = [f"-I{EXT}", f"-I{sysconfig.get_paths()['include']}", "-DCYTHON_USE_MODULE_STATE=1"]
    # Without optimisation, which takes most of the compiler's time, and may take away a read that is to be looked at.
    flags = ["-shared", "-fPIC", "-g1", "-O0", "-pthread", "-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
    command = ["gcc", *flags, *include, str(source), str(EXT / "gilcore.c"), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "libubsan" in done.stderr:
        pytest.skip("no libubsan found")
    assert done.returncode == 0, done.stderr
    return package.parent


def test_the_watch_reads_no_freed_memory_whoever_ends_first(sanitized: Path) -> None:
    environ = os.environ | {
        "PYTHONPATH": str(sanitized),
        "PYTHONMALLOC": "malloc",  # so that the sanitizer sees every block, thread states among them
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter itself keeps memory to the end
        "LD_PRELOAD": library("libasan.so"),
    }
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "refused\nend\n"
