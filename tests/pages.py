"""What stands in a Markdown page, by the parser that rich brings along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parent.parent


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


def links(text: str) -> list[str]:
    return [str(token.attrs["href"]) for token in tokens(text) if token.type == "link_open"]


def anchors(text: str) -> list[str]:
    """The names of the headings in links, as GitHub and PyPI make them."""
    every = list(tokens(text))
    headings = [after.content for token, after in pairwise(every) if token.type == "heading_open"]
    return [re.sub(r"[^\w -]", "", words).lower().replace(" ", "-") for words in headings]


def code(text: str) -> list[str]:
    """Fenced blocks and spans of code."""
    return [token.content for token in tokens(text) if token.type in ("fence", "code_inline")]
