"""Records survive JSON, and what is not a record is named exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from builders import a_record
from properties import given, st

from gilstudy.codec import LARGEST, Malformed, Range, decode, encode
from gilstudy.concluding.cautions import Caution
from gilstudy.measuring.record import Record


class Pair(NamedTuple):
    a: int
    b: float


@dataclass(frozen=True)
class Sample:
    name: str
    ok: bool | None
    pairs: tuple[Pair, ...]
    fixed: tuple[int, str]
    table: dict[str, float]
    kind: Literal["x", "y"]
    share: Annotated[float, Range(0, 1)] | None


SAMPLE = Sample("n", None, (Pair(1, 2.5),), (3, "z"), {"k": 1.0}, "x", 0.5)


@pytest.mark.parametrize("value", [SAMPLE, Caution(kind="quota", facts={"cpus": 0.5}), a_record(rounds=2)])
def test_what_is_encoded_and_written_can_be_read_back(value: Any) -> None:
    assert decode(type(value), json.loads(json.dumps(encode(value)))) == value


@given(st.builds(Pair, st.integers(-LARGEST, LARGEST), st.floats(-(2.0**62), 2.0**62)))
def test_named_tuples_are_lists_in_json(pair: Pair) -> None:
    assert encode(pair) == [pair.a, pair.b]
    assert decode(Pair, encode(pair)) == pair


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": 3}, "Sample.name should be str, not int"),
        ({"ok": "yes"}, "Sample.ok should be bool, not str"),
        ({"pairs": [[1]]}, r"Sample.pairs\[0\] should have 2 items, not 1"),
        ({"pairs": [[True, 1.0]]}, r"Sample.pairs\[0\]\[0\] should be int, not bool"),
        ({"fixed": [1, 2]}, r"Sample.fixed\[1\] should be str, not int"),
        ({"table": {"k": None}}, r"Sample.table\['k'\] should be float, not NoneType"),
        ({"kind": "z"}, "Sample.kind should be one of 'x', 'y', not 'z'"),
        ({"kind": ["x"]}, "Sample.kind should be one of 'x', 'y', not list"),
        ({"more": 1}, "Sample has an unknown more"),
        ({"share": 1.5}, "Sample.share should be from 0 to 1, not 1.5"),
        ({"share": 2}, "Sample.share should be from 0 to 1, not 2"),
        ({"share": True}, "Sample.share should be float, not bool"),
        ({"share": float("nan")}, "Sample.share should be from 0 to 1, not nan"),
        ({"pairs": [[2**63, 1.0]]}, r"Sample.pairs\[0\]\[0\] should be from -9,223"),
        ({"pairs": [[0, float("inf")]]}, r"Sample.pairs\[0\]\[1\] should be from .* not inf"),
        ({"pairs": [[0, 10**400]]}, r"Sample.pairs\[0\]\[1\] should be from .*, not 1000"),
        ({"fixed": [-(10**5000), "z"]}, r"Sample.fixed\[0\] should be from .*, not <int>"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], where: str) -> None:
    with pytest.raises(Malformed, match=where):
        decode(Sample, encode(SAMPLE) | change)


def test_what_is_missing_is_named() -> None:
    given = encode(a_record(rounds=1))
    del given["plan"]["seed"]
    with pytest.raises(Malformed, match=r"Record\.plan lacks seed"):
        decode(Record, given)
