"""The table of extensions; everything else is declared in pyproject.toml."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

sys.path.insert(0, str(Path(__file__).parent / "ext"))
from compiling import ClearBuildExt

# Without module state Cython does not declare a module fit for a subinterpreter with its own GIL.
MACROS: list[tuple[str, str | None]] = [("CYTHON_USE_MODULE_STATE", "1")]
ARGS = [] if sys.platform == "win32" else ["-O2"]
LINK = [] if sys.platform == "win32" else ["-pthread"]


def extension(name: str, *headers: str, beside: tuple[str, ...] = (), optional: bool = False) -> Extension:
    return Extension(
        f"gilstudy.{name}",
        [f"ext/{name}.pyx", *(f"ext/{source}" for source in beside)],
        optional=optional,
        depends=[f"ext/{header}" for header in headers],
        include_dirs=["ext"],
        define_macros=MACROS,
        extra_compile_args=ARGS,
        extra_link_args=LINK,
    )


EXTENSIONS = [
    extension("_kernels", "loops.h"),
    extension("_native", "loops.h", "crew.h", "osthread.h"),
    # CPython's internal headers are for gilcore.c alone; where it cannot be compiled, all else works without the watch.
    extension(
        "_gilwatch",
        *("gilwatches.h", "gilwatch.h", "gilrecord.h", "gilnames.h", "gilseen.h", "gilthreads.h", "giltasks.h"),
        *("gilsignals.h", "gilrescue.h", "procfiles.h", "gilcore.h", "watchthread.h", "osthread.h"),
        beside=("gilcore.c",),
        optional=True,
    ),
]

setup(ext_modules=cythonize(EXTENSIONS, build_dir="build/cython"), cmdclass={"build_ext": ClearBuildExt})
