"""What is to be probed, as a user writes it: functions and their arguments, in words or in TOML."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from gilstudy.errors import BadInput
from gilstudy.probing.subject import Subject, Values
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to be probed, as it was written down."""

    target: str
    """``module:function``; or a statement."""
    is_statement: bool = False
    arguments: str = ""
    """As between the brackets of a call: ``b'x' * N, level=9``. In a sweep N is the size."""
    setup: tuple[str, ...] = ()
    """Python statements that are run once before; their names may be used in ``arguments`` and in a statement."""
    expect: str = ""
    """The verdict that it should have; "" for none."""
    once: bool = False
    """Whether the arguments are worked out once, rather than anew for each call."""

    def prepared(self, names: Namespaces, size: int | None = None) -> Subject:
        """The call itself, with N as ``size``; its arguments have been worked out for the first time.

        Raises:
            BadInput: there is no such function, or what was written down does not work.
        """
        space = names.of(self.setup, self.target)
        if self.is_statement:
            return Subject(statement(self.target, space, size))
        return Subject(found(self.target), Arguments(self, space, size))


def found(target: str) -> Callable[..., Any]:
    """The function that ``target`` names.

    Raises:
        BadInput: there is no such function.
    """
    try:
        return function_named(target)
    except BadInput:
        raise
    except BaseException as error:  # whatever a module does when it is imported, SystemExit too
        if was_signalled(error):
            raise
        raise BadInput(f"cannot import {shown(target)}: {told(error)}") from error


class Namespaces:
    """The names that statements of ``setup`` make. Each is run once, however many calls use its names."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], dict[str, Any]] = {(): {"__name__": "__setup__"}}

    def of(self, setup: tuple[str, ...], target: str) -> dict[str, Any]:
        """The names for ``target``, whose statements these are; those of the last see the names of the ones before.

        Raises:
            BadInput: a statement fails.
        """
        if setup not in self._made:
            names = dict(self.of(setup[:-1], target))
            try:
                exec(compile(setup[-1], "<setup>", "exec", dont_inherit=True), names)
            except BaseException as error:
                if was_signalled(error):
                    raise
                raise BadInput(f"the setup of {shown(target)} does not work: {told(error)}") from error
            self._made[setup] = names
        return self._made[setup]


class Arguments:
    """What makes the arguments of a call, anew each time that it is called; the first are made at once."""

    def __init__(self, call: Call, names: dict[str, Any], size: int | None) -> None:
        """Work them out in ``names`` for the first time. Raises BadInput if that fails."""
        self._once = call.once
        self._names = {**names, "_arguments": lambda *args, **kwargs: (args, kwargs)}
        if size is not None:
            self._names["N"] = size
        self._first: Values | None = None
        try:
            self._code = compile(f"_arguments({call.arguments})", "<args>", "eval", dont_inherit=True)
            self._first = self._made()
        except BaseException as error:
            if was_signalled(error):
                raise
            what = f"the arguments ({shown(call.arguments)}) of {shown(call.target)}"
            raise BadInput(f"{what} do not work: {told(error)}") from error

    def __call__(self) -> Values:
        """The arguments of the next call. Raises `NoArguments` if they cannot be worked out anew."""
        first = self._first
        if first is None:
            try:
                return self._made()
            except Exception as error:
                raise NoArguments(told(error)) from error
        if not self._once:
            self._first = None
        return first

    def _made(self) -> Values:
        values: Values = eval(self._code, self._names)
        return values


class NoArguments(Exception):
    """Arguments could not be worked out anew, though they could before; the message says why."""


def statement(text: str, names: dict[str, Any], size: int | None) -> Callable[[], object]:
    """What runs a statement, or works out an expression, with the names that there are and N; it may use ``await``.

    Raises:
        BadInput: it is no Python.
    """
    space = names if size is None else {**names, "N": size}
    for mode in ("eval", "exec"):
        try:
            code = compile(text.strip(), "<stmt>", mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError) as error:
            wrong: BaseException = error
        else:
            return partial(eval, code, space)
    raise BadInput(f"the statement ({shown(text)}) does not work: {told(wrong)}") from wrong


def cases_in(path: Path, module: str = "", *, once: bool = False) -> tuple[Call, ...]:
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
    setup = document.get("setup", "")
    if not isinstance(setup, str):
        raise BadInput(f"setup in {shown(path)} must be a string")
    return tuple(_case(name, entry, setup, module, once) for name, entry in functions.items())


def _case(name: str, entry: object, setup: str, module: str, once: bool) -> Call:
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
        setup=tuple(filter(None, (setup, words.get("setup", "")))),
        expect=expect,
        once=once,
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
