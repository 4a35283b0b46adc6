"""What a package index shows: README and the pages of ``docs`` as one text; relative links lead nowhere there."""

import re
from collections.abc import Iterator
from pathlib import Path

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")
"""Its words, and where it leads."""
HEADING = re.compile(r"(#+) (.+)")


def description(root: Path) -> str:
    """README, then each page in the order in which README first links to it, a level lower.

    Links between them lead to the heading; of a link to another file of the sources the words remain.
    """
    root = root.resolve()
    readme = root / "README.md"
    pages = [readme, *dict.fromkeys(page for page in linked(readme) if page.parent == root / "docs")]
    return "\n".join("\n".join(_lines(page, pages)) + "\n" for page in pages)


def linked(page: Path) -> Iterator[Path]:
    """The files to which a page links by relative links."""
    for line, is_text in lines(page):
        for _, target in LINK.findall(line) if is_text else ():
            if file := _file(page, target):
                yield file


def lines(page: Path) -> Iterator[tuple[str, bool]]:
    """Each line of a page, and whether it is text: not in a fenced block, nor a fence."""
    is_fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        is_fence = line.startswith("```")
        yield line, not (is_fenced or is_fence)
        is_fenced ^= is_fence


def anchors(page: Path) -> list[str]:
    """What the headings of a page are called in links: as GitHub and PyPI make it from their words."""
    headings = [HEADING.fullmatch(line) for line, is_text in lines(page) if is_text]
    return [re.sub(r"[^\w -]", "", heading[2]).lower().replace(" ", "-") for heading in headings if heading]


def _lines(page: Path, pages: list[Path]) -> Iterator[str]:
    for line, is_text in lines(page):
        if not is_text:
            yield line
            continue
        lower = "#" if page != pages[0] and HEADING.fullmatch(line) else ""
        yield lower + LINK.sub(lambda link: _within(link, page, pages), line)


def _within(link: re.Match[str], page: Path, pages: list[Path]) -> str:
    words, target = link.groups()
    file = _file(page, target)
    if file is None:
        return link[0]
    if file not in pages:
        return words
    return f"[{words}](#{target.partition('#')[2] or anchors(file)[0]})"


def _file(page: Path, target: str) -> Path | None:
    """The file that a relative link names; none for a link to elsewhere."""
    if re.match(r"[a-z]+:", target):
        return None
    name = target.partition("#")[0]
    return (page.parent / name).resolve() if name else page
