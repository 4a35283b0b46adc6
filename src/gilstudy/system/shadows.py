"""Finds files that stand in for modules of the standard library: ``python -m`` puts the current folder before it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # as little as possible is imported here: any of it may be what was shadowed
if TYPE_CHECKING:
    from collections.abc import Iterator


def stand_in(error: BaseException | None = None) -> str:
    """Which file was imported instead of a module of the standard library, in one line; "" if none was.

    Args:
        error: what ended an import. A file that fails is no longer among the imported modules, but it is in this.
            If it is SystemExit nothing else counts, since nothing failed unless such a file asked for it.
    """
    folders = _before_the_library()
    suspects = list(_blamed(error)) if isinstance(error, SystemExit) else [*_blamed(error), *_imported()]
    for name, file in suspects:
        if name in sys.stdlib_module_names and any(_is_in(folder, name, file) for folder in folders):
            return f"{file!r} stands in for {name} of the standard library: rename it, or start in another folder"
    return ""


def _before_the_library() -> list[str]:
    """The folders that are searched before the standard library."""
    library = os.path.realpath(os.path.dirname(os.__file__))  # noqa: PTH120 (without pathlib, see above)
    folders: list[str] = []
    for entry in sys.path:
        folder = os.path.abspath(entry)  # noqa: PTH100
        if os.path.realpath(folder) == library:
            return folders
        folders.append(folder)
    return []  # it lies elsewhere, as in an archive: nothing is known


def _is_in(folder: str, name: str, file: str) -> bool:
    """Whether ``file`` is the module ``name`` in this folder, or a part of the package of that name."""
    stem = os.path.join(folder, name)  # noqa: PTH118
    return os.path.abspath(file).startswith((stem + ".", stem + os.sep))  # noqa: PTH100


def _imported() -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        if file := getattr(module, "__file__", None):
            yield name, file


def _blamed(error: BaseException | None) -> Iterator[tuple[str, str]]:
    """The modules that the frames of an error belong to, and the file that could not be compiled."""
    while error is not None:
        if isinstance(error, SyntaxError) and error.filename:
            yield os.path.basename(error.filename).partition(".")[0], error.filename  # noqa: PTH119
        trace = error.__traceback__
        while trace is not None:
            frame = trace.tb_frame
            yield str(frame.f_globals.get("__name__")).partition(".")[0], frame.f_code.co_filename
            trace = trace.tb_next
        error = error.__cause__ or error.__context__
