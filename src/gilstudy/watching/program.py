"""A program, run as ``python`` would run it: with its words, its path, its main module, its signals and its end.

What differs: our frames lie below the program's, and the modules of `hiding` are loaded, out of its sight.
"""

from __future__ import annotations

import builtins
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, SourceFileLoader, SourcelessFileLoader
from importlib.util import MAGIC_NUMBER, find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, Final, Literal

from gilstudy.errors import BadInput

ProgramKind = Literal["script", "folder", "module", "code", "stdin"]

HEADER_BYTES: Final = 16
"""Of a file of compiled code, before the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What is run, and the words that it finds in ``sys.argv`` after its own name."""

    kind: ProgramKind
    name: str
    """A path, a module, or the code itself."""
    words: tuple[str, ...]

    @property
    def title(self) -> str:
        """A short name for people."""
        return {"code": "-c", "stdin": "standard input"}.get(self.kind, Path(self.name).name or self.name)

    @property
    def command(self) -> list[str]:
        """The words after ``python`` that run it."""
        option = {"module": ["-m"], "code": ["-c"]}.get(self.kind, [])
        return [*option, "-" if self.kind == "stdin" else self.name, *self.words]


# -- finding -------------------------------------------------------------------------------------------------------


def module_program(name: str, words: Sequence[str]) -> Program:
    """What ``python -m name words...`` runs.

    Raises:
        BadInput: there is no such module. Of a module within a package only Python itself can tell.
    """
    program = Program(kind="module", name=name, words=tuple(words))
    before, sys.path = sys.path, _path(program)
    try:
        found = find_spec(name.partition(".")[0])
    except (ImportError, ValueError):
        found = None
    finally:
        sys.path = before
    if found is None:
        raise BadInput(f"there is no module {name!r}")
    return program


def path_program(path: str, words: Sequence[str]) -> Program:
    """What ``python path words...`` runs: a script, a folder or an archive.

    Raises:
        BadInput: there is no such file, or a folder has no ``__main__``.
    """
    if not Path(path).exists():
        raise BadInput(f"there is no file {path!r}")
    is_folder = _importer(path) is not None
    if is_folder and Path(path).is_dir() and not any(Path(path).glob("__main__.*")):
        raise BadInput(f"the folder {path!r} has no __main__.py that could be run")
    return Program(kind="folder" if is_folder else "script", name=path, words=tuple(words))


def code_program(code: str, words: Sequence[str]) -> Program:
    """What ``python -c code words...`` runs."""
    return Program(kind="code", name=code, words=tuple(words))


def stdin_program(words: Sequence[str]) -> Program:
    """What ``python - words...`` runs.

    Raises:
        BadInput: standard input is closed, or a terminal, where Python would ask for one line after the other.
    """
    if sys.stdin is None or sys.stdin.isatty():
        raise BadInput("- reads a program from standard input: give it one, as in gilstudy trace - < script.py")
    return Program(kind="stdin", name="-", words=tuple(words))


def _importer(path: str) -> object:
    """What imports from ``path`` if it is a folder or an archive; None for a script."""
    for hook in sys.path_hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


# -- setting the stage ---------------------------------------------------------------------------------------------


def prepare(program: Program) -> None:
    """Make this interpreter look as it does when Python has just started ``program``."""
    sys.path[:] = _path(program)
    own = sys.argv
    sys.argv = [{"module": "-m", "code": "-c"}.get(program.kind, program.name), *program.words]
    if (options := _interpreter_options(own)) is not None:
        sys.orig_argv[:] = [*options, *program.command]
    main = ModuleType("__main__")
    facts: dict[str, Any] = {"__builtins__": builtins, "__loader__": BuiltinImporter}
    if sys.version_info < (3, 14):
        facts["__annotations__"] = {}
    vars(main).update(facts)
    sys.modules["__main__"] = main


def _path(program: Program) -> list[str]:
    rest = sys.path[:]  # without what Python put before it for our own command: see `entry`
    if program.kind == "folder":
        return [_absolute(program.name), *rest]
    if sys.flags.safe_path:
        return rest
    if program.kind == "script":
        return [os.path.dirname(os.path.realpath(program.name)), *rest]  # noqa: PTH120 (as Python does it)
    return [str(Path.cwd()) if program.kind == "module" else "", *rest]


def _absolute(path: str) -> str:
    if os.name != "posix" or path.startswith("/"):
        return path
    return f"{Path.cwd()}/{path.removeprefix('./')}" if path != "." else str(Path.cwd())


def _interpreter_options(own: Sequence[str]) -> list[str] | None:
    """The interpreter and its options at the head of its own words; None if they cannot be told from ours."""
    words = sys.orig_argv[: len(sys.orig_argv) - len(own) + 1]
    if words[-2:] == ["-m", "gilstudy"]:
        return words[:-2]
    return words[:-1] if len(words) > 1 and words[-1].endswith(own[0]) else None


# -- running -------------------------------------------------------------------------------------------------------


def run(program: Program) -> None:
    """Run what was prepared, and tell what ended it, as Python does before it waits for threads and ends.

    Raises:
        SystemExit: the program's own, or with code 1 after an error, which was told.
        KeyboardInterrupt: it ended the program, and was told; Python then ends by the signal, and tells nothing more.
    """
    conclude(outcome(lambda: _execute(program)), lambda: _leave(program))


def conclude(error: BaseException | None, leave: Callable[[], object] = lambda: None) -> None:
    """Tell what ended a program, call ``leave``, and raise what Python ends with; see `run`."""
    if error is not None and not isinstance(error, SystemExit):
        error = _told(error)
    leave()
    if error is not None:
        raise error


def outcome(call: Callable[[], object]) -> BaseException | None:
    """Call a function; return what it raised, without our own frames."""
    try:
        call()
    except BaseException as error:
        return error.with_traceback(_own_part(error.__traceback__))
    return None


def _own_part(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames below the program's."""
    while trace is not None and str(trace.tb_frame.f_globals.get("__name__")).startswith("gilstudy."):
        trace = trace.tb_next
    return trace


def _execute(program: Program) -> None:
    main = sys.modules["__main__"]
    if program.kind in ("module", "folder"):
        import runpy

        run_module: Any = runpy._run_module_as_main  # type: ignore[attr-defined]  # it is what Python itself calls
        run_module(*((program.name,) if program.kind == "module" else ("__main__", False)))
        return
    if program.kind == "code":
        exec(_code_of_words(program.name), vars(main))
        return
    file = "<stdin>" if program.kind == "stdin" else _file_of(program)
    vars(main)["__file__"] = file
    if sys.version_info < (3, 15):
        vars(main)["__cached__"] = None
    try:
        exec(_stdin_code() if program.kind == "stdin" else _file_code(main, file), vars(main))
    finally:
        _flush()


def _file_of(program: Program) -> str:
    """The script's absolute path, in which Python tidies nothing up."""
    name = program.name
    return name if os.path.isabs(name) else f"{Path.cwd()}{os.sep}{name}"  # noqa: PTH117 (as Python does it)


def _file_code(main: ModuleType, file: str) -> CodeType:
    data = Path(file).read_bytes()
    if data.startswith(MAGIC_NUMBER):
        import marshal

        vars(main)["__loader__"] = SourcelessFileLoader("__main__", file)
        code: CodeType = marshal.loads(data[HEADER_BYTES:])
        return code
    vars(main)["__loader__"] = SourceFileLoader("__main__", file)
    return _compile(data, file)


def _code_of_words(source: str) -> CodeType:
    code = _compile(source, "<string>")
    if sys.version_info >= (3, 13):  # tracebacks show its lines
        import linecache

        register: Any = getattr(linecache, "_register_code", lambda *_: None)
        register(code, source, "<string>")
    return code


def _stdin_code() -> CodeType:
    return _compile(sys.stdin.buffer.read(), "<stdin>")


def _compile(source: str | bytes, file: str) -> CodeType:
    code: CodeType = compile(source, file, "exec", dont_inherit=True)
    return code


def _flush() -> None:
    """As Python does behind the last line of a script, come what may."""
    for stream in (sys.stderr, sys.stdout):
        try:
            stream.flush()
        except Exception:
            continue


def _leave(program: Program) -> None:
    """Python takes the script's name away when the script has ended, even if its threads go on."""
    if program.kind in ("script", "stdin"):
        for name in ("__file__", "__cached__"):
            vars(sys.modules["__main__"]).pop(name, None)


def _told(error: BaseException) -> BaseException:
    """Tell an error as Python does, by ``sys.excepthook``; return what the program ends with."""
    trace = error.__traceback__
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, trace
    if sys.version_info >= (3, 12):
        sys.last_exc = error
    hook: Any = getattr(sys, "excepthook", None)
    if hook is None:
        sys.stderr.write("sys.excepthook is missing\n")
        hook = sys.__excepthook__
    failure = outcome(lambda: hook(type(error), error, trace))
    if isinstance(failure, SystemExit):
        return failure
    if failure is not None:
        sys.stderr.write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(failure), failure, failure.__traceback__)
        sys.stderr.write("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, trace)
    if type(error) is not KeyboardInterrupt:
        return SystemExit(1)
    _say_nothing_once()
    return error


def _say_nothing_once() -> None:
    """Have Python not tell again what has been told."""
    before = sys.excepthook

    def silent(*what: object) -> None:
        sys.excepthook = before

    sys.excepthook = silent
