"""Dataclasses to plain JSON values and back, checked against their type hints."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from gilstudy.text import shown

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Range:
    """The least and the greatest value of a number: ``Annotated[int, Range(1, 512)]``."""

    low: float
    high: float


LARGEST: Final = 2**63 - 1
"""No number is further from 0, unless its range says so: all clocks and counters are of 64 bits."""

ANY: Final = Range(-LARGEST, LARGEST)
Count = Annotated[int, Range(0, LARGEST)]
"""How many, or nanoseconds of a clock or of a length."""
Positive = Annotated[int, Range(1, LARGEST)]
Workers = Annotated[int, Range(1, 512)]
Cpus = Annotated[int, Range(0, 1 << 16)]
"""How many CPUs, or the number of one."""


class Malformed(ValueError):
    """A value does not have the shape that its type asks for; the message says where."""


def encode(value: Any) -> Any:
    """Turn dataclasses into dicts and tuples (named ones too) into lists, all the way down."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [encode(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    return value


def decode(kind: type[T], value: Any) -> T:
    """Rebuild a ``kind`` from plain JSON values.

    Raises:
        Malformed: a field is missing, unknown, of another type, or a number out of its range.
    """
    return typing.cast(T, _decode(kind, value, kind.__name__))


def _decode(kind: Any, value: Any, where: str) -> Any:
    origin = typing.get_origin(kind)
    if origin is Annotated:
        plain, limits = typing.get_args(kind)
        return _number(plain, value, where, limits)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(kind, value, where)
    if origin is typing.Literal:
        if not isinstance(value, str) or value not in typing.get_args(kind):
            told = repr(value[:100]) if isinstance(value, str) else type(value).__name__
            raise Malformed(f"{where} should be one of {', '.join(map(repr, typing.get_args(kind)))}, not {told}")
        return value
    if origin is tuple:
        return _decode_tuple(typing.get_args(kind), value, where)
    if origin is dict:
        item = typing.get_args(kind)[1]
        return {key: _decode(item, part, f"{where}[{key[:100]!r}]") for key, part in _of(dict, value, where).items()}
    if dataclasses.is_dataclass(kind):
        return _decode_dataclass(kind, value, where)
    if isinstance(kind, type) and issubclass(kind, tuple):
        return _decode_named_tuple(kind, value, where)
    if kind is float or kind is int:
        return _number(kind, value, where)
    return _of(kind, value, where)


def _number(kind: type[float] | type[int], value: Any, where: str, limits: Range = ANY) -> float:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    number = value if kind is float and is_whole else _of(kind, value, where)
    if not limits.low <= number <= limits.high:  # nor is what is no number
        raise Malformed(f"{where} should be from {limits.low:,} to {limits.high:,}, not {shown(number, 40)}")
    return kind(number)


def _of(kind: type[T], value: Any, where: str) -> T:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise Malformed(f"{where} should be {kind.__name__}, not {type(value).__name__}")
    return value


def _decode_union(kind: Any, value: Any, where: str) -> Any:
    options = typing.get_args(kind)
    if value is None and types.NoneType in options:
        return None
    (other,) = (option for option in options if option is not types.NoneType)
    return _decode(other, value, where)


def _decode_tuple(args: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    items = _of(list, value, where)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_decode(args[0], item, f"{where}[{i}]") for i, item in enumerate(items))
    if len(items) != len(args):
        raise Malformed(f"{where} should have {len(args)} items, not {len(items)}")
    return tuple(_decode(arg, item, f"{where}[{i}]") for i, (arg, item) in enumerate(zip(args, items, strict=True)))


def _decode_named_tuple(kind: Any, value: Any, where: str) -> Any:
    hints = _hints(kind)
    return kind(*_decode_tuple(tuple(hints.values()), value, where))


def _decode_dataclass(kind: Any, value: Any, where: str) -> Any:
    given = _of(dict, value, where)
    hints = _hints(kind)
    fields = {field.name for field in dataclasses.fields(kind)}
    if missing := fields - given.keys():
        raise Malformed(f"{where} lacks {', '.join(sorted(missing))}")
    if unknown := given.keys() - fields:
        raise Malformed(f"{where} has an unknown {shown(', '.join(sorted(unknown)))}")
    return kind(**{name: _decode(hints[name], given[name], f"{where}.{name}") for name in fields})


_known_hints: dict[Any, dict[str, Any]] = {}


def _hints(kind: Any) -> dict[str, Any]:
    if kind not in _known_hints:
        _known_hints[kind] = typing.get_type_hints(kind, include_extras=True)
    return _known_hints[kind]
