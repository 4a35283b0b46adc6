"""The text of a program, with its comments and messages in the reader's language. Only those are changed."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from importlib import resources


def program_source(program: str, words: Mapping[str, str] | None = None) -> str:
    """The text that is shown and run.

    Args:
        program: the name of a module in `gilstudy.recording.examples`.
        words: what to say instead of each comment and string; what is not in it stays.
    """
    path = resources.files("gilstudy.recording.examples") / f"{program}.py"
    source = path.read_text(encoding="utf-8")
    return translated(source, words) if words else source


def translated(source: str, words: Mapping[str, str]) -> str:
    """``source`` with its comments and plain strings replaced as ``words`` says."""
    lines = source.splitlines(keepends=True)
    for token, said in reversed(list(messages(source))):  # from the end, so that the places before stay right
        if said in words:
            row, (begin, end) = token.start[0] - 1, (token.start[1], token.end[1])
            lines[row] = lines[row][:begin] + token.string.replace(said, words[said]) + lines[row][end:]
    return "".join(lines)


def messages(source: str) -> Iterator[tuple[tokenize.TokenInfo, str]]:
    """Every comment and string of one line, with what it says."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token, token.string.removeprefix("#").strip()
        elif token.type == tokenize.STRING and not token.string.startswith("f"):
            yield token, ast.literal_eval(token.string)
