"""The flow is one way: who may import whom, as CONTRIBUTING draws it. A file that stands in no row fails."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import gilstudy

PACKAGE = Path(gilstudy.__file__).parent
MOST_AT_THE_ROOT = 14
LONGEST = 400

NATIVE = {"_kernels", "_native", "_gilwatch", "_version"}
"""The extensions and the version: anybody may import them."""
TOOLS = {"codec", "errors", "text", "stats"}
DOORS = {"__init__", "__main__", "bench", "cli"}
DATA = {f"measuring.{name}" for name in ("arm", "record", "observations")}
"""What a record is made of: all of the measuring that concluding sees."""

MAY: dict[str, set[str]] = {
    "system": {"errors", "text"},
    "host": TOOLS | {"system"},
    "measuring": TOOLS | {"system", "host"},
    "recording": TOOLS | {"system", "host"},
    "watching": TOOLS | {"system", "host"},
    "experimenting": TOOLS | {"system", "host", "measuring", "recording", "watching"},
    "concluding": TOOLS | {"host"} | DATA,
    "probing": TOOLS | {"system", "host", "watching"},
    "lessons": TOOLS | {"system", "host", "recording", "experimenting", "concluding"} | DATA,
}
MAY["report"] = TOOLS | set(MAY)
MAY["commands"] = TOOLS | set(MAY) | {"cli"}
"""For each folder what it may import beside itself: folders, or single modules of them."""
TOOLS_MAY = {"errors": set[str](), "text": set[str](), "stats": set[str](), "codec": {"text"}}
"""For each tool the tools that it may import."""


def modules() -> dict[str, ast.Module]:
    return {
        ".".join(path.relative_to(PACKAGE).with_suffix("").parts): ast.parse(path.read_text(encoding="utf-8"))
        for path in PACKAGE.rglob("*.py")
    }


MODULES = modules()


def ours(tree: ast.Module) -> set[str]:
    """The modules of this package that are imported anywhere in a file, without the package's name."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {known for name in found if name.startswith("gilstudy.") and (known := _known(name))}


def _known(name: str) -> str:
    """The longest beginning of a dotted name that is a module; "" for the package itself."""
    parts = name.split(".")[1:]
    while parts and not {".".join(parts), ".".join([*parts, "__init__"])} & (MODULES.keys() | NATIVE):
        parts.pop()
    return ".".join(parts)


def allowed(name: str) -> set[str] | None:
    """What a module may import beside its own folder; None if it stands in no row."""
    folder, _, rest = name.partition(".")
    if rest:
        return MAY[folder] | {folder} if folder in MAY else None
    if name in DOORS:
        return {*MAY, *TOOLS, *DOORS}
    return TOOLS_MAY.get(name, set() if name in NATIVE else None)


def test_every_file_stands_in_a_row_and_imports_only_what_its_row_says() -> None:
    wrong = []
    for name, tree in MODULES.items():
        may = allowed(name)
        if may is None:
            wrong.append(f"{name} stands in no row")
            continue
        others = sorted(ours(tree) - NATIVE)
        wrong += [f"{name} imports {other}" for other in others if not {other, other.partition(".")[0]} & may]
    assert wrong == []


def in_a_circle(graph: dict[str, set[str]]) -> set[str]:
    """What is left when all that imports nothing of the rest is taken away, again and again."""
    left = {name: others & graph.keys() - {name} for name, others in graph.items()}
    while free := {name for name, others in left.items() if not others & left.keys()}:
        left = {name: others for name, others in left.items() if name not in free}
    return set(left)


def test_no_circle_of_modules() -> None:
    assert in_a_circle({name.removesuffix(".__init__"): ours(tree) for name, tree in MODULES.items()}) == set()


def test_no_circle_of_packages() -> None:
    """A package and one inside it are one house: of those the order of their modules is enough."""
    packages = {name.removesuffix(".__init__") for name in MODULES if name.endswith(".__init__")}
    graph: dict[str, set[str]] = {package: set() for package in packages}
    for name, tree in MODULES.items():
        if own := name.rpartition(".")[0]:
            graph[own] |= {other if other in packages else other.rpartition(".")[0] for other in ours(tree)}
    apart = {own: {other for other in others if _apart(own, other)} for own, others in graph.items()}
    assert in_a_circle(apart) == set()


def _apart(one: str, other: str) -> bool:
    return not f"{one}.".startswith(f"{other}.") and not f"{other}.".startswith(f"{one}.")


def test_the_root_is_small_and_so_is_every_file() -> None:
    at_root = sorted(path.name for path in PACKAGE.glob("*.py"))
    assert len(at_root) <= MOST_AT_THE_ROOT, at_root
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST, path


def test_only_the_edge_prints_or_exits() -> None:
    for name, tree in MODULES.items():
        if name in DOORS or name.startswith(("commands.", "recording.examples.")):
            continue
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        assert not any(isinstance(call, ast.Name) and call.id in ("print", "exit") for call in calls), name
        assert not any(isinstance(call, ast.Attribute) and ast.unparse(call) == "sys.exit" for call in calls), name


def test_functions_stay_functions_whatever_was_imported() -> None:
    apart = ("__main__", "recording.examples.", "system.alone.")
    names = sorted(name.removesuffix(".__init__") for name in MODULES if not name.startswith(apart) and "." in name)
    names = [name for name in names if not name.endswith("__main__")]
    imports = "; ".join(f"importlib.import_module('gilstudy.{name}')" for name in names)
    code = (
        f"import importlib, types, gilstudy; {imports}; "
        "print(*[name for name in gilstudy.__all__ if isinstance(getattr(gilstudy, name), types.ModuleType)])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("\n", "")


def loaded_by(code: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {code}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_a_station_needs_the_standard_library_alone() -> None:
    code = "import gilstudy.measuring.station, gilstudy.measuring.modes.threads, gilstudy.measuring.modes.processes"
    assert not {"psutil", "rich", "Cython"} & {name.partition(".")[0] for name in loaded_by(code)}


def test_importing_gilstudy_imports_almost_nothing() -> None:
    assert loaded_by("import gilstudy") <= {"gilstudy", "gilstudy._version", "__future__"}


def test_what_traces_a_program_brings_no_extension_of_ours_but_the_watch_and_no_studies() -> None:
    loaded = loaded_by("import gilstudy.commands.trace")
    assert not {"gilstudy._kernels", "gilstudy._native"} & loaded
    assert not [name for name in loaded if name.startswith(("gilstudy.measuring", "gilstudy.concluding"))]


def test_what_runs_beside_a_lesson_needs_the_standard_library_alone() -> None:
    loaded = loaded_by("import gilstudy.recording.installing, gilstudy.recording.hooks")
    assert not {"psutil", "rich", "Cython"} & {name.partition(".")[0] for name in loaded}
    ours = {name for name in loaded if name.startswith("gilstudy")}
    assert ours <= {"gilstudy", "gilstudy._version", "gilstudy.system", "gilstudy.system.children"} | {
        "gilstudy.recording",
        *(f"gilstudy.recording.{name}" for name in ("installing", "recorder", "hooks", "locks")),
    }


def test_one_name_is_one_thing() -> None:
    """No two modules give a class, or a type, of the same name."""
    places: dict[str, list[str]] = {}
    for module, tree in MODULES.items():
        if not module.startswith("recording.examples."):
            for name in _types(tree):
                places.setdefault(name, []).append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def _types(tree: ast.Module) -> set[str]:
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assigned = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    names = {target.id for target in assigned if isinstance(target, ast.Name)}
    return {name for name in classes | names if name[0].isupper() and name.upper() != name}
