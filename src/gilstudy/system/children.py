"""What every child interpreter is started with, and how it is ended together with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any, Final

KEPT_ENVIRONMENT: Final = (
    *("PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "LC_CTYPE", "TZ"),
    *("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "VIRTUAL_ENV"),
    *("PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHON_GIL", "PYTHON_CPU_COUNT", "PYTHON_JIT"),
)
"""All that a child inherits: a stray setting of the shell must not decide what one child does and another does not."""


def environment(*folders: str) -> dict[str, str]:
    """The variables of a child that finds gilstudy, and before it the modules in ``folders``.

    Whatever else lies beside gilstudy must not come before the standard library, so its own folder is not named.
    """
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    path = os.pathsep.join([*folders, str(Path(__file__).parent / "alone")])
    return {**kept, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}


def command(module: str, *args: str, python: str = sys.executable) -> list[str]:
    """The command line that runs ``module`` under this very interpreter (or another), with its options."""
    options = [f"-X{name}={sys._xoptions[name]}" for name in ("gil", "cpu_count") if name in sys._xoptions]
    # -P: a file of the current folder must not stand in for a module of the standard library
    return [python, "-P", *options, "-m", module, *args]


def own_group() -> dict[str, Any]:
    """Arguments for `subprocess.Popen`: Ctrl-C in a terminal does not reach the child, and `end_family` can end it."""
    return {
        "start_new_session": os.name == "posix",
        "creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    }


class Family(subprocess.Popen[Any]):
    """A child that is started with `own_group`, and all that it starts. `end_all` ends those that still run."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _FAMILIES.add(self)


_FAMILIES: Final[weakref.WeakSet[Family]] = weakref.WeakSet()


def end_all() -> None:
    """Kill every `Family` that has not ended, without waiting. For the end of this process, at any moment."""
    for family in list(_FAMILIES):
        if family.returncode is None:
            _kill(family)


def end_with(parent: int) -> None:
    """Called in a child: have the system end it when the process ``parent`` ends, where it can.

    It may have ended already, before the system was asked; then there is nobody left to work for.
    """
    with contextlib.suppress(ImportError):
        from gilstudy import _native

        _native.die_with_parent()
    if os.name == "posix" and os.getppid() != parent:
        os._exit(1)


def end_family(process: subprocess.Popen[Any]) -> None:
    """Kill a child that was started with `own_group`, and every process that it started. Safe after its end."""
    _kill(process)
    process.wait()


def _kill(process: subprocess.Popen[Any]) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        return
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
    process.kill()
