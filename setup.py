"""The table of extensions, and the text for an index; everything else is declared in pyproject.toml."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

sys.path.insert(0, str(Path(__file__).parent / "ext"))
from compiling import ClearBuildExt
from describing import description

# Without module state Cython does not declare a module fit for a subinterpreter with its own GIL.
MACROS: list[tuple[str, str | None]] = [("CYTHON_USE_MODULE_STATE", "1")]
ARGS = [] if sys.platform == "win32" else ["-O2"]
LINK = [] if sys.platform == "win32" else ["-pthread"]
HEADERS = sorted(map(str, Path("ext").glob("*.h")))
OPTIONAL = {"gilstudy._gilwatch"}
"""CPython's internal headers are for gilcore.c alone; where it cannot be compiled, all else works without the watch."""


def extension(name: str, *beside: str) -> Extension:
    return Extension(
        f"gilstudy.{name}",
        [f"ext/{name}.pyx", *(f"ext/{source}" for source in beside)],
        depends=HEADERS,
        include_dirs=["ext"],
        define_macros=MACROS,
        extra_compile_args=ARGS,
        extra_link_args=LINK,
    )


EXTENSIONS = cythonize(
    [extension("_kernels"), extension("_native"), extension("_gilwatch", "gilcore.c")],
    build_dir="build/cython",
)
for built in EXTENSIONS:  # cythonize does not pass it on
    built.optional = built.name in OPTIONAL

setup(
    ext_modules=EXTENSIONS,
    cmdclass={"build_ext": ClearBuildExt},
    long_description=description(Path(__file__).resolve().parent),
    long_description_content_type="text/markdown",
)
