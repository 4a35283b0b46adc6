"""The flow is one way: measuring knows nothing of thinking, thinking needs a record alone, only the edge prints."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import gilstudy

PACKAGE = Path(gilstudy.__file__).parent
MEASURING = {
    *("codec", "kernels", "laps", "plan", "cautions", "host", "cgroup", "pulse", "runtime", "record", "errors"),
    *("observations", "children", "experiments", "plays"),
    *("gil", "watching", "names", "assemble", "trace", "summary", "heartbeat", "_gilwatch"),
    *("station", "stations", "study", "modes", "_native", "_kernels", "_version"),
}
FACTS = {"record", "observations", "host", "pulse", "runtime", "cgroup", "errors", "_version", "codec"}
"""What a record is made of, and the means to read it."""
THINKING = {"stats", "analysis", "verdicts", "claims", "findings", "files"}
CHILD = {"station", "laps", "kernels", "runtime", "record", "codec", "host", "pulse", "cgroup", "modes"}
"""What runs inside a measured interpreter."""


def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }


def imports(tree: ast.Module, *, everywhere: bool = True) -> set[str]:
    """The names of all modules that are imported, or only those imported at the top."""
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(tree: ast.Module) -> set[str]:
    return {name.split(".")[1] for name in imports(tree) if name.startswith("gilstudy.")}


def part(name: str) -> str:
    return name.split(".")[0]


def test_measuring_imports_nothing_of_thinking() -> None:
    for name, tree in modules().items():
        if part(name) in MEASURING:
            assert not ours(tree) & (THINKING | {"report", "bench", "cli", "commands"}), name


def test_thinking_imports_nothing_of_measuring_beyond_the_record() -> None:
    for name, tree in modules().items():
        if part(name) in THINKING:
            measuring = {module for module in ours(tree) if module in MEASURING}
            assert measuring <= FACTS, (name, measuring - FACTS)


def test_only_the_edge_prints_or_exits() -> None:
    for name, tree in modules().items():
        if part(name) in {"cli", "bench", "__main__", "commands", "rescue"} or name.startswith("plays.examples."):
            continue
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id in ("print", "exit") for call in calls), name
        assert not any(isinstance(call, ast.Attribute) and ast.unparse(call) == "sys.exit" for call in calls), name


def test_a_station_needs_the_standard_library_alone() -> None:
    code = "import sys, gilstudy.measuring.station, gilstudy.measuring.modes.processes; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"psutil", "rich", "Cython"} & {name.partition(".")[0] for name in loaded.split()}


def test_importing_gilstudy_imports_almost_nothing() -> None:
    code = "import sys; before = set(sys.modules); import gilstudy; print(*set(sys.modules) - before)"
    loaded = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert set(loaded.split()) <= {"gilstudy", "gilstudy._version", "__future__"}


def test_files_are_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 420, path


def test_what_runs_beside_a_lesson_needs_the_standard_library_alone() -> None:
    code = "import sys, gilstudy.recording.installing, gilstudy.recording.hooks; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"psutil", "rich", "Cython"} & {name.partition(".")[0] for name in loaded}
    ours = {name for name in loaded if name.startswith("gilstudy")}
    assert ours <= {"gilstudy", "gilstudy._version", "gilstudy.system.children", "gilstudy.recording"} | {
        f"gilstudy.recording.{name}" for name in ("installing", "recorder", "hooks", "locks")
    }
