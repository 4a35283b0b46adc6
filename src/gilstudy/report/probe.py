"""Probes as a table, as JSON values, and as JUnit XML."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gilstudy.probing.entries import Entry
from gilstudy.probing.probe import Probe
from gilstudy.probing.sweep import Sweep
from gilstudy.report.document import Document, made
from gilstudy.report.figures import ms, share, thousands
from gilstudy.text import shown

SCHEMA: Final = 1
MOST: Final = 1000
"""Columns of a reason."""
STYLES: Final = {
    "releases": "green",
    "holds": "red",
    "mixed": "yellow",
    "inconclusive": "magenta",
    "not-judged": "magenta",
    "not-applicable": "cyan",
    "failed": "bold red",
}


def print_probes(console: Console, entries: Sequence[Entry], skipped: Sequence[str] = ()) -> None:
    """Print a table, and below it what needs more words."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("\nfunction", overflow="fold")
    table.add_column("\nGIL", no_wrap=True)
    for name in ("\na call", "released\n[95 %]", "times\na call", "holds\nup to", "stalls\nup to"):
        table.add_column(name, justify="right", no_wrap=True)
    for entry in entries:
        table.add_row(*_row(entry))
    console.print(table)
    for line in _remarks(entries, skipped):
        console.print(line)


def _row(entry: Entry) -> Iterable[Text | str]:
    yield shown(entry.target)
    yield Text(verdict_words(entry).replace(", but ", ", but\n"), style=STYLES[entry.verdict])
    probe = entry.probe
    if probe is None or not probe.calls:
        return
    yield ms(probe.call_ns)
    yield released(probe)
    yield f"{probe.times_released:.3g}+" if probe.times_released else ""
    yield ms(probe.longest_hold_ns) if probe.longest_hold_ns else ""
    yield ms(probe.evidence.longest_stall_ns) if probe.evidence.beat_window_ns else ""


def verdict_words(entry: Entry) -> str:
    """The verdict as it is shown."""
    if entry.probe is not None and entry.probe.instants is not None:
        return "holds, but for an instant"
    return entry.verdict.replace("-", " ")


def released(probe: Probe) -> str:
    """The share of the call's time for which the GIL was free, with its interval."""
    if probe.verdict == "holds" and probe.instants is None:
        return "none"
    if probe.released is None or probe.verdict == "holds":
        return ""
    low, high = probe.released.low, probe.released.high
    return f"{share(probe.released.point)} [{math.floor(100 * low)}, {math.ceil(100 * high)}]"


def _remarks(entries: Sequence[Entry], skipped: Sequence[str]) -> Iterable[Text]:
    for entry in entries:
        for told in _told(entry):
            yield Text.assemble((shown(entry.target), "bold"), f": {shown(told, MOST)}")
        if entry.is_wrong and entry.probe is not None:
            yield Text.assemble(
                (shown(entry.target), "bold"), (f": expected {entry.expect}, found {verdict_words(entry)}", "red")
            )
        if entry.sweep is not None:
            yield Text.assemble((shown(entry.target), "bold"), f": {sweep_words(entry.sweep)}")
    if skipped:
        yield Text(f"no arguments given, so not probed: {', '.join(map(shown, skipped))}", style="dim")


def _told(entry: Entry) -> Iterable[str]:
    if entry.probe is None:
        yield entry.error
        return
    if entry.probe.reason:
        yield entry.probe.reason
    if entry.probe.instants is not None:
        seen = entry.probe.evidence
        yield f"lets it go for an instant only, in {thousands(seen.calls_released)} of {thousands(seen.calls)} calls"
    yield from entry.probe.notes


def sweep_words(found: Sweep) -> str:
    """The outcome of a sweep in a sentence."""
    if found.reason:
        return f"no threshold found, because {shown(found.reason, MOST)}"
    if found.threshold is None:
        return f"holds the GIL up to N = {found.high}"
    if found.threshold == found.low:
        return f"releases the GIL already at N = {found.low}"
    return f"releases the GIL from N = {found.threshold} on; at {found.threshold - 1} it holds it"


# -- files ---------------------------------------------------------------------------------------------------------


def document(entries: Sequence[Entry]) -> Document:
    """All of it as plain JSON values."""
    return made(schema=SCHEMA, python=sys.version.split()[0], probes=[_values(entry) for entry in entries])


def _values(entry: Entry) -> dict[str, Any]:
    values: dict[str, Any] = {"function": entry.target, "verdict": entry.verdict, "expected": entry.expect or None}
    if entry.probe is None:
        return values | {"reason": entry.error}
    plain = dataclasses.asdict(entry.probe)
    del plain["name"], plain["verdict"]
    values |= plain
    if entry.sweep is not None:
        sizes = [{"n": size, "verdict": probe.verdict} for size, probe in entry.sweep.probes]
        values["sweep"] = {"threshold": entry.sweep.threshold, "reason": entry.sweep.reason, "sizes": sizes}
    return values


def junit(entries: Sequence[Entry]) -> str:
    """JUnit XML: a verdict other than the expected one is a failure, no verdict is skipped."""
    missing = [entry for entry in entries if entry.probe and entry.probe.releases is None and not entry.is_wrong]
    counts = {
        "tests": len(entries),
        "failures": sum(entry.is_wrong and entry.probe is not None for entry in entries),
        "errors": sum(entry.probe is None for entry in entries),
        "skipped": len(missing),
    }
    told = {name: str(count) for name, count in counts.items()}
    root = ElementTree.Element("testsuites", told)
    suite = ElementTree.SubElement(root, "testsuite", {"name": "gilstudy probe", **told})
    for entry in entries:
        _testcase(suite, entry)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _testcase(suite: ElementTree.Element, entry: Entry) -> None:
    module, _, function = shown(entry.target, MOST).partition(":")
    probe = entry.probe
    seconds = 0.0 if probe is None else probe.evidence.window_ns / 1e9
    case = ElementTree.SubElement(suite, "testcase", {"classname": module, "name": function, "time": f"{seconds:.3f}"})
    if probe is None:
        ElementTree.SubElement(case, "error", {"message": shown(entry.error, MOST)})
    elif entry.is_wrong:
        ElementTree.SubElement(case, "failure", {"message": f"expected {entry.expect}, found {verdict_words(entry)}"})
    elif probe.releases is None:
        ElementTree.SubElement(case, "skipped", {"message": f"{verdict_words(entry)}: {shown(probe.reason, MOST)}"})
    if probe is not None and probe.calls:
        said = ElementTree.SubElement(case, "system-out")
        said.text = f"{verdict_words(entry)}: a call takes {ms(probe.call_ns)}, released {released(probe)}"
