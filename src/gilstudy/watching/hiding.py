"""Our own modules, out of the sight of the program that runs in the same process.

The program may have modules of its own beside it that are named as those that we imported, it may ask which modules
are loaded, and it is to find what it imports as Python loads it. So what only we imported is taken out of
``sys.modules`` before it begins, and is there again while we report.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib.machinery import ExtensionFileLoader
from types import ModuleType
from typing import Final

import gilstudy

SHARED: Final = ("threading", "numbers", "decimal", "datetime", "pickle")
"""Of these there must be one alone: Python itself, or a module in C, which cannot be loaded twice, knows them."""


class Hiding:
    """The modules that only we use."""

    def __init__(self) -> None:
        self._modules: dict[str, ModuleType] = {}
        self._path: list[str] = []

    def hide(self) -> None:
        """Take them away."""
        kept = gilstudy.BEFORE | _closure(SHARED)
        self._path = sys.path[:]
        for name, module in list(sys.modules.items()):
            if name not in kept and not _is_native(module):
                self._modules[name] = sys.modules.pop(name)

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Put them in place, and the program's of the same names aside."""
        theirs = {name: sys.modules.get(name) for name in self._modules}
        path, sys.path = sys.path, self._path
        sys.modules.update(self._modules)
        try:
            yield
        finally:
            sys.path = path
            for name, module in theirs.items():
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module


def _is_native(module: object) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is None or spec.origin in ("built-in", "frozen") or isinstance(spec.loader, ExtensionFileLoader)


def _closure(names: tuple[str, ...]) -> set[str]:
    """These modules, as far as they are loaded, and all whose modules, classes and functions they have."""
    found: set[str] = set()
    left = [name for name in names if name in sys.modules]
    while left:
        name = left.pop()
        if name in found or name not in sys.modules:
            continue
        found.add(name)
        for value in list(vars(sys.modules[name]).values()):
            named = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            if isinstance(named, str):
                left.append(named)
    return found
