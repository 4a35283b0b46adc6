"""Whatever a record or a table holds: it is read, or refused in one line; nothing in it acts on the terminal."""

from __future__ import annotations

import io
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import observing
import pytest
from builders import OF_SCHEMA_1, a_host, a_record, a_runtime
from nasty import NASTY, is_harmless, is_told

from gilstudy.concluding.cautions import Caution
from gilstudy.concluding.findings import conclude
from gilstudy.errors import BadInput
from gilstudy.measuring.observations import Deadlock, Observations, Sharing, Stuck, Trouble
from gilstudy.measuring.record import Batch, Failure, Record, Unavailable
from gilstudy.probing.table import cases_in
from gilstudy.report.claims import print_table
from gilstudy.report.console import console
from gilstudy.report.document import as_json
from gilstudy.report.study import document, load
from gilstudy.report.terminal import print_claims, print_study
from gilstudy.report.wording import _CAUTIONS, caution_text
from gilstudy.system.streams import Output

RECORDS, TABLES = 3500, 1500
"""How many mutations of each."""


def a_whole_record() -> Record:
    """A record with everything in it that one may hold, and few trials, so that it is soon concluded from."""
    seen = Observations(
        label="3.11",
        switching=observing.switching(turns=10),
        updates=observing.updates(),
        costs=observing.costs(rounds=7),
        deadlock=Deadlock(cycle=(Stuck("a", "A", "B"),), opposite_ending="deadlock", same_ending="ended"),
        sharing=Sharing(added=8, in_thread=8, after_thread=8, in_process=8, after_process=0),
        troubles=(Trouble(experiment="costs", reason="it was killed"),),
    )
    return replace(
        a_record(rounds=7, arms=("threads", "threads-nogil", "processes"), host=a_host(quota=1.9)),
        batches=(Batch(kernel="python", runtime="", steps=1000, once_ns=50_000, double_ns=100_000),),
        failures=(Failure(arm="processes", round=1, reason="it ended with exit code 3"),),
        unavailable=(Unavailable(arm="threads-nogil", reason="no answer for 30 s"),),
        observations=seen,
    )


def of_schema_1() -> Any:
    """The same as schema 1 had it, from the kept sample, with few trials and turns, and something lost."""
    given = json.loads(OF_SCHEMA_1.read_text())
    record = given["record"]
    record["trials"] = [trial for trial in record["trials"] if trial["round"] < 7]
    record["failures"] = [{"arm": "threads", "round": round_, "reason": "it hung"} for round_ in (-1, 1)]
    record["observations"]["costs"]["rounds"] = record["observations"]["costs"]["rounds"][:7]
    for spell in record["observations"]["switching"]["spells"]:
        spell["turns"] = spell["turns"][:10]
    return given


GIVEN: dict[int, Any] = {1: of_schema_1(), 2: json.loads(json.dumps(document(a_whole_record(), None)))}
"""By schema."""
COPIED = {schema: pickle.dumps(given) for schema, given in GIVEN.items()}
"""The same; what is read from it is a copy, made ten times as fast as by `copy.deepcopy`."""


# -- mutations -------------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to all values within ``value``."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def by_shape(given: Any) -> list[list[tuple[Any, ...]]]:
    """The ways to all values of a record but itself, those together that differ only in which of a list they take."""
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for way in places(given["record"]):
        found.setdefault(tuple("#" if isinstance(key, int) else key for key in way), []).append(way)
    return [ways for shape, ways in found.items() if shape]


SHAPES = {schema: by_shape(given) for schema, given in GIVEN.items()}
PLACES = {schema: [way for ways in shapes for way in ways] for schema, shapes in SHAPES.items()}


NUMBERS = (
    *(0, 1, -1, 2, 3, 511, 512, 65536, 2**31, 2**53, 2**63 - 1, 2**63, 10**18, 10**400, -(10**400)),
    *(0.0, 0.5, 0.999, 1e-300, 5e-324, 1e18, 1e300, float("inf"), -float("inf"), float("nan")),
)


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def other(old: Any, random: Random) -> Any:
    """What may stand instead of ``old``: of its own kind most of the time, since others are refused at once."""
    if random.random() < 0.15:
        return random.choice([None, True, [], {}, "", 0, -1, 1.5, [[[]]], {"": None}, float("nan")])
    if isinstance(old, bool) or old is None:
        return random.choice([True, False, None, 0, 1, 2, 1e9])
    if isinstance(old, int | float):
        return random.choice([*NUMBERS, old * 2, -old, old + 1])
    if isinstance(old, str):
        return random.choice(NASTY)
    if isinstance(old, list):
        item = random.choice(old) if old else 1
        return random.choice([[], old[:-1], old[1:], old * 2, [*old, item], [item], [item] * 600, old[::-1]])
    key = random.choice([*old, "x"])
    return random.choice([{}, {**old, random.choice(NASTY): 1}, {k: v for k, v in old.items() if k != key}])


def place(random: Random, schema: int) -> tuple[Any, ...]:
    """Half of the time any, which is one of the many trials; else any shape, so that all else is tried as well."""
    return random.choice(random.choice(SHAPES[schema]) if random.random() < 0.5 else PLACES[schema])


def mutants(count: int, seed: int, schema: int = 2) -> Iterator[str]:
    random = Random(seed)
    for _ in range(count):
        given = pickle.loads(COPIED[schema])
        for _ in range(random.choice([1, 1, 1, 2, 4])):
            *way, last = place(random, schema)
            try:
                holder = at(given["record"], tuple(way))
                holder[last] = other(holder[last], random)
            except (LookupError, TypeError):
                continue  # a mutation before took it away
        text = json.dumps(given)
        if random.random() < 0.05:
            cut = random.randrange(len(text))
            text = random.choice([text[:cut], text[:cut] + random.choice((*NASTY, "[" * 5000)) + text[cut:]])
        yield text


# -- what comes out --------------------------------------------------------------------------------------------------


def shows(record: Record) -> str:
    """All that the commands print of a record; that its document can be written is seen to as well."""
    findings = conclude(record)
    as_json(document(record, findings), compact=True)
    out = io.StringIO()
    printer = console(output=Output(out))
    print_study(printer, record, findings)
    print_claims(printer, record, findings)
    print_table(printer, record, findings)
    return out.getvalue()


def outcome(path: Path, text: str) -> str:
    """ "shown" or the line of the refusal; anything else that is raised is a fault."""
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        record = load(path)
    except BadInput as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 3000
        return str(error)
    assert is_harmless(shows(record))
    return "shown"


@pytest.mark.parametrize(("seed", "schema"), [(0, 2), (1, 2), (2, 2), (3, 1)])
def test_mutated_records_are_shown_or_refused(tmp_path: Path, seed: int, schema: int) -> None:
    outcomes = [outcome(tmp_path / "x.json", text) for text in mutants(RECORDS // 4, seed, schema)]
    share = outcomes.count("shown") / len(outcomes)
    assert 0.1 < share < 0.9  # both ends are tried


def test_mutated_records_take_little_memory(tmp_path: Path) -> None:
    tracemalloc = pytest.importorskip("tracemalloc", reason="this Python cannot trace its memory", exc_type=ImportError)
    tracemalloc.start()
    for text in mutants(40, seed=99):
        outcome(tmp_path / "x.json", text)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32 << 20


# -- tables ----------------------------------------------------------------------------------------------------------

TABLE = """\
setup = "data = bytes(100)"
[functions]
crc32 = "data"
compress = { args = "data, 9", expect = "releases" }
"json:dumps" = { args = "list(range(10))", setup = "import json", expect = "holds" }
[functions.adler32]
args = '''data'''
"""
RUBBISH = (
    *("[" * 3000, "{a=" * 2000, "a." * 3000 + "b = 1\n", "9" * 5000, "1e999", "9999-99-99", "\x00", "\x1b[31m", "\r"),
    *("[[functions]]", "[functions]\n", "= ", '"""', "'''", "#", "[", "]", "{", "}", "\n", ",", ".", "nan", "\ufeff"),
    *("expect = 'x'\n", "\\ud800", "\\U00110000", "x" * 70_000, "true", "a = 1\n" * 500),
)


def mutated_tables(count: int, seed: int) -> Iterator[str]:
    random = Random(seed)
    for _ in range(count):
        text = TABLE
        for _ in range(random.choice([1, 1, 2, 3])):
            cut, end = sorted(random.randrange(len(text)) for _ in "ab")
            piece = random.choice(RUBBISH + NASTY)
            text = random.choice(
                [text[:cut] + piece + text[cut:], text[:cut] + text[end:], text[:cut] + piece + text[end:]]
            )
        yield text


def test_mutated_tables_are_read_or_refused(tmp_path: Path) -> None:
    read = 0
    for text in mutated_tables(TABLES, seed=5):
        path = tmp_path / "x.toml"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            cases = cases_in(path, "zlib")
        except BadInput as error:
            assert "\n" not in str(error)
            assert len(str(error)) < 3000
        else:
            read += 1
            assert all(isinstance(case.arguments, str) for case in cases)
    assert 0.02 < read / TABLES < 0.98


# -- the kinds, one by one -------------------------------------------------------------------------------------------


CAUTIONS = {
    "quota": ("quota_cpus", "workers"),
    "one-cpu": (),
    "more-workers-than-cpus": ("workers", "cpus"),
    "shared-cores": ("cores",),
    "mixed-cpus": (),
    "cpu-count-limited": ("cpus", "usable"),
    "throttled": ("periods", "seconds"),
    "contended": ("share",),
    "steal": ("cpus",),
    "too-hot": ("times",),
    "busy-host": ("load",),
    "ceiling-above-quota": ("workers", "ceiling", "quota_cpus"),
    "ceiling-varies": ("workers", "low", "high"),
    "not-pinned": (),
    "gil-re-enabled": (),
    "not-linear-python": ("ratio",),
    "not-linear-nogil": ("ratio",),
}
"""The facts that each kind of caution has."""


def test_every_kind_of_caution_has_its_words_and_its_facts() -> None:
    assert set(CAUTIONS) == set(_CAUTIONS)
    for kind, facts in CAUTIONS.items():
        assert "  " not in caution_text(Caution(kind=kind, facts=dict.fromkeys(facts, 2.0)))


@pytest.mark.parametrize("name", NASTY)
def test_names_in_a_record_are_told_and_do_nothing(name: str) -> None:
    record = a_record(
        rounds=9, failures=(Failure(arm="threads", round=0, reason=name),), runtime=a_runtime(version=name)
    )
    record = replace(record, host=replace(a_host(), cpu_model=name))
    text = shows(record)
    assert is_harmless(text)
    assert is_told(name, text)
