"""The lessons' sentences: no language lacks a key or a fact, and the programs are the same in all of them."""

from __future__ import annotations

import ast
import string
import tomllib
from importlib import resources
from typing import Any

import pytest
from rich.cells import cell_len

from gilstudy.lessons.catalogue import CATALOGUE
from gilstudy.lessons.words import LANGUAGES, Words, default_language
from gilstudy.recording.source import messages, program_source, translated

NAMES = {
    *("__main__", "p1", "p2", "empty", "assigned", "overridden", "LoopThread", "slow", "quick", "forth", "back"),
    *("args", "callback:", "error_callback:"),
}
"""Strings of the programs that are names or parts of them, in every language the same."""
OTHERS = [language for language in LANGUAGES if language != "en"]


def tables(language: str) -> dict[str, Any]:
    path = resources.files("gilstudy.lessons") / "texts" / f"{language}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


def leaves(table: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            found |= leaves(value, f"{prefix}{key}/")
        else:
            found[prefix + key] = value
    return found


def facts_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def programs() -> list[str]:
    folder = resources.files("gilstudy.recording.examples")
    return sorted(path.name.removesuffix(".py") for path in folder.iterdir() if path.name.endswith(".py"))


PROGRAMS = [name for name in programs() if name != "__init__"]


@pytest.mark.parametrize("language", OTHERS)
def test_no_language_lacks_a_key_or_a_fact(language: str) -> None:
    english, other = leaves(tables("en")), leaves(tables(language))
    other = {key: text for key, text in other.items() if not key.startswith("code/")}
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert facts_of(text) == facts_of(other[key]), key
        assert text.strip() and other[key].strip(), key


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str) -> None:
    english, other = leaves(tables("en")), leaves(tables(language))
    same = {key for key in english if english[key] == other[key]}
    assert {key for key in same if len(english[key].split()) > 1} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_lesson_has_its_words(language: str) -> None:
    words = Words(language)
    for name, lesson in CATALOGUE.items():
        for key in ("title", "says", "since", "question"):
            assert not facts_of(words.lesson(name, key)), (name, key)
        assert words.has(name, "seen")
        assert words.keys(name, "options") == lesson.options
        assert words.keys(name, "checks")
    assert set(tables(language)["lessons"]) == set(CATALOGUE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_fit_into_a_line_of_the_list(language: str) -> None:
    assert max(cell_len(Words(language).lesson(name, "title")) for name in CATALOGUE) <= 80 - 28


def test_every_program_belongs_to_a_lesson(a_setting: Any) -> None:
    used = {run.program for lesson in CATALOGUE.values() for run in lesson.runs(a_setting)}
    assert used == set(PROGRAMS)


@pytest.mark.parametrize("language", OTHERS)
def test_every_message_of_the_programs_is_translated(language: str) -> None:
    words = Words(language).code
    said = {text for program in PROGRAMS for _, text in messages(program_source(program))}
    assert said - NAMES == set(words)


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_translated_program_differs_in_its_words_only(language: str, program: str) -> None:
    class Muted(ast.NodeTransformer):
        def visit_Constant(self, node: ast.Constant) -> ast.Constant:
            return ast.Constant("") if isinstance(node.value, str) else node

    def shape(source: str) -> str:
        return ast.dump(Muted().visit(ast.parse(source)))

    source = program_source(program)
    other = program_source(program, Words(language).code)
    assert shape(source) == shape(other)
    assert len(source.splitlines()) == len(other.splitlines())
    assert source != other


def test_translation_replaces_comments_and_strings_and_nothing_else() -> None:
    source = 'ends = "ends"  # ends\nprint("ends at", f"ends")\n'
    assert translated(source, {"ends": "x"}) == 'ends = "x"  # x\nprint("ends at", f"ends")\n'


def test_programs_are_short_and_plain() -> None:
    for program in PROGRAMS:
        lines = program_source(program).splitlines()
        assert len(lines) <= 45, program
        assert all(len(line) <= 120 for line in lines), program
        imported = [node for node in ast.walk(ast.parse("\n".join(lines))) if isinstance(node, ast.ImportFrom)]
        ours = {
            f"{node.module}.{name.name}" for node in imported for name in node.names if "gilstudy" in str(node.module)
        }
        assert ours <= {"gilstudy._kernels.countdown_nogil"}, program


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "zh_TW", "LANG": "de_DE"}, "zh"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
    ],
)
def test_the_locale_decides_the_language(environment: dict[str, str], language: str) -> None:
    assert default_language(environment) == language
