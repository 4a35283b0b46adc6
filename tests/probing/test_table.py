"""What is to be probed, as it is written down: arguments, setup, statements, tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from gilstudy.errors import BadInput
from gilstudy.probing.table import Arguments, Call, Namespaces, NoArguments, cases_in, public_functions, statement
from gilstudy.watching.gil import unreadable

native = pytest.mark.skipif(bool(unreadable()), reason=unreadable())


def arguments(call: Call, size: int | None = None) -> Arguments:
    return Arguments(call, Namespaces().of(call.setup, call.target), size)


def test_arguments_are_written_as_in_a_call() -> None:
    call = Call(target="builtins:sorted", arguments="data[:N], reverse=True", setup=("data = [1, 3, 2]",))
    assert arguments(call, 2)() == (([1, 3],), {"reverse": True})


def test_they_are_made_anew_for_each_call_and_once_if_so_asked() -> None:
    call = Call(target="x:y", arguments="next(numbers)", setup=("numbers = iter(range(9))",))
    made = arguments(call)
    assert [made()[0] for _ in range(3)] == [(0,), (1,), (2,)]  # the first is the one that was tried
    made = arguments(Call(target="x:y", arguments="next(n)", setup=("n = iter(range(9))",), once=True))
    assert [made()[0] for _ in range(3)] == [(0,), (0,), (0,)]


def test_what_cannot_be_made_anew_is_told() -> None:
    made = arguments(Call(target="x:y", arguments="next(n)", setup=("n = iter([1])",)))
    made()
    with pytest.raises(NoArguments, match="StopIteration"):
        made()


@pytest.mark.parametrize("text", ["1 +", "nowhere", "1/0", "a=1, 2"])
def test_arguments_that_do_not_work_are_said_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match="do not work") as told:
        arguments(Call(target="builtins:sorted", arguments=text))
    assert "\n" not in str(told.value)


def test_setup_is_run_once_whatever_the_number_of_calls() -> None:
    names = Namespaces()
    count = "import builtins; builtins.made_by_setup = getattr(builtins, 'made_by_setup', 0) + 1"
    first = names.of((count,), "a:a")
    own = names.of((count, "own = 1"), "b:b")
    assert names.of((count,), "c:c") is first
    assert (own["builtins"].made_by_setup, own["own"], "own" in first) == (1, 1, False)
    del own["builtins"].made_by_setup
    with pytest.raises(BadInput, match="the setup of d:d does not work: ZeroDivisionError"):
        names.of(("1/0",), "d:d")


def test_a_statement_is_run_and_an_expression_worked_out() -> None:
    names = {"a": [3]}
    assert statement(" a[0] + 1 ", names, None)() == 4
    statement("a.append(N); b = 5", names, 7)()
    assert names["a"] == [3, 7]
    assert "N" not in names
    with pytest.raises(BadInput, match=r"the statement .* does not work: SyntaxError"):
        statement("1 +", names, None)


@native
@pytest.mark.parametrize("text", ["await asyncio.sleep(0)", "async with asyncio.Lock(): pass"])
def test_a_statement_may_wait(text: str) -> None:
    call = Call(target=text, is_statement=True, setup=("import asyncio",))
    with call.prepared(Namespaces()) as subject:
        subject.first(), subject.once()
    assert (subject.kind, subject.made) == ("coroutine", 2)


def test_a_table_of_functions(tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(
        'setup = "a = 1"\n[functions]\ncrc32 = "b\'x\'"\n'
        '"json:dumps" = { args = "a, b", setup = "b = a + 1", expect = "holds" }\n'
    )
    one, other = cases_in(path, "zlib")
    assert (one.target, one.arguments, one.expect) == ("zlib:crc32", "b'x'", "")
    assert (other.target, other.expect, arguments(other)()) == ("json:dumps", "holds", ((1, 2), {}))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[functions]",
        "[functions\n",
        "x = 1\n[functions]\na = ''",
        "[functions]\na = 3",
        "[functions]\na = {}",
        "setup = 3\n[functions]\na = ''",
        "[functions]\na = {arg = ''}",
        "[functions]\na = {args = '', expect = 'maybe'}",
    ],
)
def test_a_table_that_is_wrong_is_bad_input(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(text)
    with pytest.raises(BadInput):
        cases_in(path, "zlib")


def test_the_public_functions_of_a_module() -> None:
    assert {"compress", "crc32"} <= set(public_functions("zlib"))
    assert "error" not in public_functions("zlib")
    with pytest.raises(BadInput, match="cannot import"):
        public_functions("no_such_module")
