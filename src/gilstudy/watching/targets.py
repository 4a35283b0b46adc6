"""What a user names on the command line to be called: ``module:function``."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from gilstudy.errors import BadInput

Job = Callable[[], object]
"""What is run, and watched while it runs; all that it needs is ready."""


def function_named(name: str) -> Callable[..., Any]:
    """The callable that ``module:function`` names; after the colon there may be dots.

    Raises:
        BadInput: there is no such module or function, or it cannot be called.
    """
    module_name, colon, path = name.partition(":")
    if not (module_name and colon and path):
        raise BadInput(f"{name!r} is not of the form module:function")
    if "" not in sys.path:
        sys.path.insert(0, "")  # a module in the current directory, as python -m would find it
    try:
        found: Any = import_module(module_name)
    except ImportError as error:
        raise BadInput(f"cannot import {module_name!r}: {error}") from error
    for part in path.split("."):
        if not hasattr(found, part):
            raise BadInput(f"there is no {part!r} in {module_name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise BadInput(f"{name} is not a function: it is of type {type(found).__name__}")
    function: Callable[..., Any] = found
    return function


def value_of(word: str) -> object:
    """A word of the command line as a Python value: what is no literal stays text."""
    try:
        return ast.literal_eval(word)
    except (ValueError, SyntaxError):
        return word


def function_job(name: str, words: Sequence[str], named: Mapping[str, str]) -> Job:
    """``module:function`` with words of the command line as its arguments; a coroutine function is run to its end.

    Raises:
        BadInput: there is no such function.
    """
    function = function_named(name)
    given = [value_of(word) for word in words]
    by_name = {key: value_of(word) for key, word in named.items()}
    if not inspect.iscoroutinefunction(function):
        return partial(function, *given, **by_name)
    return partial(_run_to_its_end, partial(function, *given, **by_name))


def _run_to_its_end(call: Callable[[], Coroutine[Any, Any, object]]) -> object:
    import asyncio

    return asyncio.run(call())


def module_is_there(name: str) -> bool:
    """Whether a module of this name could be imported, from the current folder too."""
    before = sys.path[:]
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
    finally:
        sys.path[:] = before
