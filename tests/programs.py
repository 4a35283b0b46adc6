"""The programs that are run by Python and by ``gilstudy trace``, and how: see `differential`."""

from __future__ import annotations

import io
import os
import signal
import zipfile
from pathlib import Path

from differential import PROGRAMS, Case

EXAMPLES = Path(__file__).parent.parent / "src/gilstudy/recording/examples"
IDS = r"\b\d{3,}\b"
"""Process ids and the like, in programs that print them."""
TIMES = r"\b\d+\.\d+s?\b( [mun]?sec)?|\b\d+ [mun]?sec\b"

STATE = (PROGRAMS / "state.py").read_text(encoding="utf-8")
OUR_FRAMES = r'  File "[^"\n]*gilstudy[^"\n]*", line \d+ in .*\n|  File "<frozen runpy>", line \d+ in .*\n'
"""They lie below the program's, as those of every tool that runs a program in its own process."""
OUR_EXTENSIONS = r"\nExtension modules: gilstudy\._gilwatch \(total: 1\)\n"
PYTEST = ("-q", "-p", "no:cacheprovider")


def _zip(**files: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"{name}.py", text)
    return made.getvalue()


def _link(folder: Path) -> None:
    (folder / "link.py").symlink_to("sub/state.py")


def _state() -> dict[str, Case]:
    """The same program in all the ways in which Python starts one."""
    package = {"package/__init__.py": "print('package')", "package/state.py": STATE}
    return {
        "script": Case(words=("state.py", "-x", "--out", "words", "--", "-m")),
        "script-in-folder": Case(words=("sub/state.py",)),
        "script-dot": Case(words=("./state.py",)),
        "script-without-ending": Case(words=("program",), files={"program": STATE}),
        "script-named-as-an-arm": Case(words=("./threads",), files={"threads": STATE}),
        "script-with-colon": Case(words=("./a:b.py",), files={"a:b.py": STATE}),
        "script-link": Case(words=("link.py",), files={"sub/state.py": STATE}, prepare=_link),
        "script-ünïcode": Case(words=("ünïcode.py", "wörds"), files={"ünïcode.py": STATE}),
        "folder": Case(words=("app", "words"), files={"app/__main__.py": STATE}),
        "here": Case(words=(".",), files={"__main__.py": STATE}),
        "zip": Case(words=("app.pyz", "words"), files={"app.pyz": _zip(__main__=STATE)}),
        "zip-imports": Case(
            words=("app.pyz",), files={"app.pyz": _zip(__main__="import beside\nprint(beside.x)", beside="x = 1")}
        ),
        "module": Case(words=("-m", "state", "-m", "--out", "words"), files={"state.py": STATE}),
        "module-attached": Case(words=("-mstate", "-c"), files={"state.py": STATE}),
        "module-in-package": Case(words=("-m", "package.state"), files=package),
        "package": Case(words=("-m", "package"), files=package | {"package/__main__.py": STATE}),
        "code": Case(words=("-c", STATE, "-c", "--out", "words")),
        "code-short": Case(words=("-cprint(__name__, __file__ if 0 else 1)",)),
        "stdin": Case(words=("-", "words"), stdin=STATE.encode()),
        "flags": Case(words=("state.py",), flags=("-O", "-B", "-W", "ignore::UserWarning", "-X", "utf8")),
        "nohup": Case(words=("state.py",), ignored=(signal.SIGHUP, signal.SIGINT)),
        "flags-dev": Case(words=("state.py",), flags=("-X", "dev")),
        "flags-isolated": Case(words=("state.py",), flags=("-I",)),
        "flags-unbuffered": Case(words=("state.py",), flags=("-u",)),
        "flags-safe-path": Case(words=("state.py",), flags=("-P",)),
        "uses-main": Case(words=("uses_main.py",)),
        "uses-main-as-module": Case(words=("-m", "uses_main"), files={"uses_main.py": _text("uses_main.py")}),
        "shadows": Case(words=("shadows.py",), files=dict.fromkeys(_shadowing(), "mine = 'mine'")),
        "shadows-in-folder": Case(
            words=("sub/shadows.py",), files=dict.fromkeys((f"sub/{name}" for name in _shadowing()), "mine = 'mine'")
        ),
        "latin-1": Case(words=("latin.py",), files={"latin.py": "# coding: latin-1\nprint('ü')".encode("latin-1")}),
        "bom": Case(words=("bom.py",), files={"bom.py": b"\xef\xbb\xbfprint('with a mark')\r\nprint(2)\r\n"}),
        "empty": Case(words=("empty.py",), files={"empty.py": ""}),
        "compiled": Case(words=("empty.py",), files={"empty.py": "import beside", "beside.py": "x = 1"}),
        "future": Case(
            words=("future.py",), files={"future.py": "print(1 if eval('(1)') else 0)\nx: int = 1\nprint(x)"}
        ),
    }


def _shadowing() -> list[str]:
    return [f"{name}.py" for name in ("json", "platform", "queue", "statistics", "rich", "summary")]


def _text(name: str) -> str:
    return (PROGRAMS / name).read_text(encoding="utf-8")


def _errors() -> dict[str, Case]:
    kinds = ("chained", "hooked", "bad_hook", "thread_hooked", "unraisable", "deep", "shown", "from_file")
    cases = {f"traceback-{kind}": Case(words=("tracebacks.py", kind)) for kind in kinds}
    failing = "def inner():\n    1 / 0\n\n\ninner()\n"
    cases["traceback-deep"] = Case(words=("tracebacks.py", "deep"), blots=(r"repeated \d+ more times",))
    return cases | {
        "traceback-module": Case(words=("-m", "failing"), files={"failing.py": failing}),
        "traceback-folder": Case(words=("app",), files={"app/__main__.py": failing}),
        "traceback-zip": Case(words=("app.pyz",), files={"app.pyz": _zip(__main__=failing)}),
        "traceback-code": Case(words=("-c", failing)),
        "traceback-stdin": Case(words=("-",), stdin=failing.encode()),
        "traceback-import": Case(words=("a.py",), files={"a.py": "import failing\n", "failing.py": failing}),
        "syntax": Case(words=("wrong.py",), files={"wrong.py": "x = 1\nif x\n    print(x)\n"}),
        "syntax-indent": Case(words=("wrong.py",), files={"wrong.py": "x = 1\n  y = 2\n"}),
        "syntax-encoding": Case(words=("wrong.py",), files={"wrong.py": b"x = '\xff'\n"}),
        "syntax-null": Case(words=("wrong.py",), files={"wrong.py": b"x = 1\0\n"}),
        "syntax-import": Case(words=("a.py",), files={"a.py": "import wrong\n", "wrong.py": "def\n"}),
        "syntax-module": Case(words=("-m", "wrong"), files={"wrong.py": "if x\n"}),
        "syntax-code": Case(words=("-c", "if x")),
        "syntax-warning": Case(words=("odd.py",), files={"odd.py": "print(1 is 1)\n"}),
        "warnings": Case(words=("warns.py",)),
        "warnings-always": Case(words=("warns.py",), flags=("-W", "always")),
        "warnings-error": Case(words=("warns.py",), flags=("-W", "error")),
        "warnings-dev": Case(words=("warns.py",), flags=("-X", "dev")),
    }


def _leaving() -> dict[str, Case]:
    ways = {
        *("forked os._exit", "forked sys.exit", "3", "words", "nothing", "true", "tuple", "none", "negative", "large"),
        *("huge", "quit", "exception", "base", "group", "thread", "thread exit"),
    }
    cases = {f"leaves-{way}": Case(words=("leaves.py", way)) for way in sorted(ways)}
    cases |= {f"leaves-{way}": Case(words=("leaves.py", way), reported=False) for way in ("os._exit", "abort")}
    kinds = ("caught", "uncaught", "turned_into_exit", "raised", "while_joining", "ignored")
    cases |= {f"interrupted-{kind}": Case(words=("interrupted.py", kind)) for kind in kinds}
    names = ("SIGTERM", "SIGHUP", "SIGKILL", "SIGALRM", "SIGUSR1", "SIGSEGV")
    cases |= {f"killed-{name}": Case(words=("killed.py", name), reported=False) for name in names}
    kinds = ("stdout", "descriptors", "all", "stderr", "replaced", "redirected")
    cases |= {f"closes-{kind}": Case(words=("closes_streams.py", kind)) for kind in kinds}
    return cases | {
        # Apart from the next ones: its place among what goes at the end was once another, why is not known.
        "ends-with-module": Case(words=("ends_with_module.py",)),
        "ends-in-order": Case(words=("ends_in_order.py",)),
        "ends-in-order-exit": Case(words=("ends_in_order.py", "exit")),
        "reader-gone": Case(words=("much_output.py", "3"), stdout="closed"),
        "reader-gone-much": Case(words=("much_output.py", "100000"), stdout="closed"),
        "output-full": Case(words=("much_output.py", "3"), stdout="full"),
        "output-full-much": Case(words=("much_output.py", "100000"), stdout="full"),
        "much-output": Case(words=("much_output.py", "30000")),
        "executes": Case(words=("executes.py",), reported=False),
        "leaves-folder": Case(words=("leaves_folder.py",)),
    }


def _running() -> dict[str, Case]:
    starts = ("fork", "spawn", "forkserver")
    cases = {f"pool-{start}": Case(words=("pool.py", start)) for start in starts}
    cases |= {f"terminated-{start}": Case(words=("terminated.py", start)) for start in starts}
    cases |= {f"guard-{start}": Case(words=("spawn_guard.py", start)) for start in starts}
    plain = (
        *("executor_processes", "executor_kept", "asyncio_loop", "asyncio_interrupted", "subprocesses", "http_server"),
        *("daemons_spin", "daemons_hold", "signals_own", "sigwait", "fork_through", "fork_in_thread", "daemonizes"),
        *("thread_outlives", "closerange", "own_start", "log_queue", "sqlite_tables", "tracing", "manager"),
        *(
            "at_fork",
            "spawns",
            "group_interrupted",
            "interrupted_at_end",
            "many_threads",
            "few_descriptors",
            "subinterpreter",
            "subinterpreter_forks",
        ),
    )
    cases |= {name.replace("_", "-"): Case(words=(f"{name}.py",)) for name in plain}
    return cases | {
        "no-guard": Case(words=("no_guard.py",), blots=(r"_fd=\d+|_handle=\d+",)),
        "guard-in-module": Case(
            words=("-m", "package.guarded", "spawn"),
            files={"package/__init__.py": "", "package/guarded.py": _text("spawn_guard.py")},
        ),
        "children": Case(words=("state_of_children.py", "spawn")),
        "children-flags": Case(words=("state_of_children.py",), flags=("-X", "dev", "-W", "ignore")),
        "fork-through-badly": Case(words=("fork_through.py", "badly")),
        "at-fork": Case(words=("at_fork.py",), unordered=True),
        "thread-outlives-error": Case(words=("thread_outlives.py", "error")),
        "closerange-late": Case(words=("closerange.py", "thread")),
        "temporary": Case(words=("temporary.py",), blots=(r"tmp\w{8}",)),
        "reads-stdin": Case(words=("reads_stdin.py",), stdin=b"Guido\nsecond\nabcd\nrest\n"),
        "faulthandler": Case(words=("faulthandlers.py",), drops=(OUR_FRAMES,)),
        "faulthandler-crash": Case(
            words=("faulthandlers.py", "crash"), drops=(OUR_FRAMES, OUR_EXTENSIONS), reported=False
        ),
    }


def _modules() -> dict[str, Case]:
    data = {"data.json": '{"b": [1, 2], "a": "ü"}'}
    tests = {"test_pass_and_fail.py": _text("test_pass_and_fail.py")}
    return {
        "json.tool": Case(words=("-m", "json.tool", "--sort-keys", "data.json"), files=data),
        "json.tool-help": Case(words=("-m", "json.tool", "--help")),
        "json.tool-stdin": Case(words=("-m", "json.tool"), stdin=b'{"a": 1}'),
        "json.tool-bad": Case(words=("-m", "json.tool", "-x")),
        "timeit": Case(words=("-m", "timeit", "-n", "5", "-r", "1", "pass"), blots=(TIMES,)),
        "timeit-out": Case(words=("-m", "timeit", "--number=2", "-r1", "-s", "x = 1", "--", "x"), blots=(TIMES,)),
        "unittest": Case(words=("-m", "unittest", "-v", "test_pass_and_fail"), files=tests, blots=(TIMES,)),
        "pytest": Case(words=("-m", "pytest", *PYTEST, "test_pass_and_fail.py"), files=tests, blots=(r"in \d+\.\d+s",)),
        "doctest": Case(words=("-m", "doctest", "a.py"), files={"a.py": '""">>> 1 + 1\n3\n"""\n'}),
        "pdb": Case(words=("-m", "pdb", "a.py"), files={"a.py": "x = 1\nprint(x)\n"}, stdin=b"n\nn\np x\nq\n"),
        "calendar": Case(words=("-m", "calendar", "2024", "2")),
        "compileall": Case(words=("-m", "compileall", "-q", "sub"), files={"sub/a.py": "x = 1"}),
        "this": Case(words=("-m", "this")),
    }


def _lessons() -> dict[str, Case]:
    """The programs of the lessons, all but one, which is for ever in its deadlock."""
    words = {"hybrid": ("2", "2"), "taking_turns": ("0", "0"), "why_threads": ("20000",)}
    several = (
        *("pool_async", "pool_results", "pool_blocking", "hybrid", "process_start"),
        *("join_after_starts", "join_omitted", "join_one"),
    )
    cases = {}
    for program in sorted(EXAMPLES.glob("*.py")):
        name = program.stem
        if name in ("__init__", "deadlock"):
            continue
        blots: tuple[str, ...] = (IDS,)
        if name == "taking_turns":
            blots = (r"(ran from \d+ to \d+\n)+",)
        elif name == "why_threads":
            blots = (TIMES,)
        cases[f"lesson-{name.replace('_', '-')}"] = Case(
            words=(f"{name}.py", *words.get(name, ())),
            files={f"{name}.py": program.read_bytes()},
            blots=blots,
            unordered=name in several,
        )
    return cases


WORDED_OTHERWISE = "Python reads a script from its file, trace from memory: the error has other words"
DIFFERS = {
    "syntax-encoding": WORDED_OTHERWISE,
    "syntax-null": WORDED_OTHERWISE,
    "interrupted-at-end": "Python itself misses a signal between letting the GIL go and falling asleep",
}
"""What is known to differ, and why."""
OFTEN_HANGS = frozenset({"interrupted-at-end"})
"""Of these, what waits for ever when it does: not run by the tests."""

CASES = _state() | _errors() | _leaving() | _running() | _modules() | _lessons()


def has_fork() -> bool:
    """Whether this is a system on which these programs run."""
    return hasattr(os, "fork") and Path("/proc/self/fd").exists()
