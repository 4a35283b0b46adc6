"""Foreign text is told as it is, in one line, and does nothing."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gilstudy.report.console import console
from gilstudy.text import shown

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("ThreadPoolExecutor-0_3", "ThreadPoolExecutor-0_3"),
        ("[red]x[/red] :smile: $a$", "[red]x[/red] :smile: $a$"),
        ("\x1b[2Jgone", r"\x1b[2Jgone"),
        ("two\nlines\r\t\0\x7f\x85", r"two\nlines\r\t\x00\x7f\x85"),
        ("abc\u202egnp.exe\u2066", r"abc\u202egnp.exe\u2066"),
        ("zero\u200bwidth\ufeff\u2028", r"zero\u200bwidth\ufeff\u2028"),
        ("half \udc80", r"half \udc80"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("线程 é ü\u00a0\u3000", "线程 é ü\u00a0\u3000"),
        (r"C:\new", r"C:\new"),
        (12, "12"),
        (None, "None"),
        (ValueError("a\nb"), r"a\nb"),
    ],
)
def test_what_is_told(text: object, told: str) -> None:
    assert shown(text) == told


def test_what_is_long_loses_its_middle() -> None:
    assert shown("ThreadPoolExecutor-0_3", 12) == "Thread…r-0_3"
    assert shown("x" * 200) == "x" * 200
    assert shown("x" * 10**7 + "end").endswith("xend")
    assert shown("线程线程线程", 7) == "线…程"  # three columns on each side have room for one wide character
    assert shown("ab\x1b\x1b\x1bcd", 9) == "ab…cd"  # an escape is shown whole or not at all
    assert [shown("long", most) for most in (0, 1, 2, 3)] == ["…", "…", "l…", "l…g"]


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_what_cannot_be_turned_into_text_is_told_by_its_type() -> None:
    assert shown(Unspeakable()) == "<Unspeakable>"
    assert shown(10**5000) == "<int>"


@given(ANY_TEXT, st.integers(0, 120))
@settings(deadline=None, derandomize=True)
def test_nothing_that_does_something_gets_through(text: str, most: int) -> None:
    told = shown(text, most)
    assert cell_len(told) <= max(1, most)
    assert not {unicodedata.category(char) for char in told} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    told.encode("utf-8")


@pytest.mark.parametrize("name", ["[/nope]", "[red]x[/red]", ":smile:", "[link=http://a]b[/link]", "7 0x3f None"])
def test_the_console_reads_no_markup(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    console().print(name)
    console(stderr=True).print(name)
    console(quiet=True).print("not this")
    assert capsys.readouterr() == (f"{name}\n", f"{name}\n")
