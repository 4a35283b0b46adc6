"""What is to be probed, as a user writes it: functions and their arguments, in words or in TOML."""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from gilstudy.errors import BadInput
from gilstudy.system import files
from gilstudy.system.signals import was_signalled
from gilstudy.text import shown
from gilstudy.watching.targets import function_named

EXPECTED: Final = ("releases", "holds", "mixed")
MOST_BYTES: Final = 1 << 20
"""A table of functions is not read beyond this."""
MOST_DEPTH: Final = 100
_DEEP: Final = re.compile(rf"(?:[\w\"'-]{{1,100}}[ \t]*\.[ \t]*){{{MOST_DEPTH}}}")
"""A key of so many parts, which `tomllib` would take very long for."""

Values = tuple[tuple[Any, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One function to be probed."""

    target: str
    """``module:function``."""
    arguments: str = ""
    """As between the brackets of a call: ``b'x' * N, level=9``. In a sweep N is the size."""
    setup: str = ""
    """Python statements that are run once before; their names may be used in ``arguments``."""
    expect: str = ""
    """The verdict that it should have; "" for none."""

    def function(self) -> Callable[..., object]:
        """The function itself.

        Raises:
            BadInput: there is no such function.
        """
        try:
            return function_named(self.target)
        except BadInput:
            raise
        except BaseException as error:  # whatever a module does when it is imported, SystemExit too
            if was_signalled(error):
                raise
            raise BadInput(f"cannot import {shown(self.target)}: {told(error)}") from error

    def values(self, size: int | None = None) -> Values:
        """The arguments, worked out.

        Raises:
            BadInput: the statements or the expression fail.
        """
        names: dict[str, Any] = {"_arguments": lambda *args, **kwargs: (args, kwargs)}
        try:
            exec(self.setup, names)
            if size is not None:
                names["N"] = size
            values: Values = eval(f"_arguments({self.arguments})", names)
        except BaseException as error:
            if was_signalled(error):
                raise
            what = f"the arguments ({shown(self.arguments)}) of {shown(self.target)}"
            raise BadInput(f"{what} do not work: {told(error)}") from error
        return values

    def call(self, size: int | None = None) -> Callable[[], object]:
        """The call, its function found and its arguments worked out."""
        function, (args, kwargs) = self.function(), self.values(size)
        return lambda: function(*args, **kwargs)


def cases_in(path: Path, module: str = "") -> tuple[Call, ...]:
    """The cases in a TOML file.

    It has a table ``functions``, whose keys are ``module:function``, or with ``module`` given, functions of that one.
    The values are argument expressions, or tables of ``args``, ``setup`` and ``expect``. ``setup`` at the top is for
    all.

    Raises:
        BadInput: the file cannot be read, or something in it is of the wrong kind.
    """
    text = files.read(path, MOST_BYTES)
    if _DEEP.search(text):
        raise BadInput(f"cannot read {shown(path)}: it nests tables deeper than {MOST_DEPTH}")
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise BadInput(f"cannot read {shown(path)}: it nests values too deeply") from None
    except ValueError as error:  # also numbers and dates that Python cannot hold
        raise BadInput(f"cannot read {shown(path)}: {shown(error)}") from None
    functions = document.get("functions")
    if not isinstance(functions, dict) or not functions or set(document) - {"functions", "setup"}:
        raise BadInput(f"{shown(path)} must have a table [functions], and beside it at most a string setup")
    return tuple(_case(name, entry, str(document.get("setup", "")), module) for name, entry in functions.items())


def _case(name: str, entry: object, setup: str, module: str) -> Call:
    table: Mapping[str, object] = (
        {"args": entry} if isinstance(entry, str) else entry if isinstance(entry, dict) else {}
    )
    words = {
        key: value for key, value in table.items() if key in ("args", "setup", "expect") and isinstance(value, str)
    }
    if not table or len(words) < len(table):
        raise BadInput(f"functions.{shown(name)} must be a string, or a table of the strings args, setup and expect")
    expect = words.get("expect", "")
    if expect and expect not in EXPECTED:
        raise BadInput(f"functions.{shown(name)} expects {shown(expect)!r}; it must be one of {', '.join(EXPECTED)}")
    return Call(
        target=name if ":" in name else f"{module}:{name}",
        arguments=words.get("args", ""),
        setup=f"{setup}\n{words.get('setup', '')}",
        expect=expect,
    )


def public_functions(module: str) -> Sequence[str]:
    """The names of all public functions of a module, by ``__all__`` if it has one.

    Raises:
        BadInput: the module cannot be imported.
    """
    try:
        found = import_module(module)
        names: Iterable[str] = getattr(found, "__all__", None) or [n for n in vars(found) if not n.startswith("_")]
        return [name for name in names if inspect.isroutine(getattr(found, name, None))]
    except BaseException as error:
        if was_signalled(error):
            raise
        raise BadInput(f"cannot import {shown(module)}: {told(error)}") from error


def told(error: BaseException) -> str:
    """An exception of somebody's own code, in a line."""
    return f"{shown(type(error).__name__)}: {shown(error)}".removesuffix(": ")
