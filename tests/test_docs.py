"""README is short, what it leaves out stands in docs, links lead somewhere, and commands are those that there are."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import ROOT, anchors, code, links

from gilstudy import cli

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
ALL = [README, ROOT / "CONTRIBUTING.md", *DOCS]
OTHERS = ("py-spy", "pip", "git", "ruff", "mypy")
"""Programs that are not ours, and whose options are not looked at."""


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def parser_of(command: str) -> cli.Parser:
    parser = cli.Parser(prog=f"gilstudy {command}")
    importlib.import_module(cli.COMMANDS[command][0]).configure(parser)
    return parser


def parse(command: str, words: list[str]) -> argparse.Namespace:
    module = importlib.import_module(cli.COMMANDS[command][0])
    parsed: argparse.Namespace = getattr(module, "parse", cli.Parser.parse_args)(parser_of(command), words)
    return parsed


def command_lines(page: Path) -> Iterator[str]:
    """Every line of a page's code, ``$`` and what joins it to the next left out."""
    for block in code(read(page)):
        for line in block.replace("\\\n", " ").splitlines():
            yield from (part.strip().removeprefix("$ ") for part in line.split("&&"))


def test_readme_can_be_read_in_one_go() -> None:
    assert len(read(README).splitlines()) <= 200


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in links(read(page)):
        if not re.match(r"https?://", link):
            name, _, anchor = link.partition("#")
            target = page.parent / name if name else page
            assert target.is_file(), link
            assert not anchor or anchor in anchors(read(target)), link


def test_readme_links_to_every_page_and_every_page_back() -> None:
    assert {page.name for page in DOCS} == {
        link.removeprefix("docs/") for link in links(read(README)) if link.startswith("docs/")
    }
    for page in DOCS:
        assert "../README.md" in links(read(page)), page


def test_no_two_headings_share_a_name() -> None:
    """An index shows them all on one page."""
    names = [name for page in (README, *DOCS) for name in anchors(read(page))]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_commands_can_be_given_as_they_stand(page: Path) -> None:
    for line in command_lines(page):
        given = re.match(r"(?:python -m )?gilstudy(?:\.(?=bench)| )([A-Za-z]\w*)(.*)", line)
        if given and given[1] != "COMMAND":
            assert given[1] in cli.COMMANDS, line
            parse(given[1], shlex.split(given[2], comments=True))


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_options_are_known(page: Path) -> None:
    known = {"--help"}
    for command in cli.COMMANDS:
        known |= set(parser_of(command)._option_string_actions)
    for bench in (ROOT / "bench").glob("*.py"):
        known |= set(re.findall(r'"(--[a-z-]+)"', read(bench)))
    for line in command_lines(page):
        if not line.startswith(OTHERS):
            assert set(re.findall(r"(?<!\S)--[a-z][a-z-]*", line)) <= known, line


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    for line in command_lines(page):
        if named := re.match(r"(?:bench|docs|ext|tests|\.ci)/[\w./]+", line):
            assert (ROOT / named[0]).exists(), line


def test_what_readme_shortens_stands_whole_in_a_page() -> None:
    whole = [block.splitlines() for page in DOCS for block in code(read(page))]
    shortened = [block.splitlines() for block in code(read(README)) if "\n...\n" in block]
    assert len(shortened) == 2
    for lines in shortened:
        kept = [line for line in lines if line != "..."]
        assert any(is_part(kept, block) for block in whole), lines[0]


def is_part(lines: list[str], block: list[str]) -> bool:
    """Whether the lines stand in the block, in their order."""
    rest = iter(block)
    return all(line in rest for line in lines)
