"""Whether the GIL of this interpreter can be read, and who turned it on in a free-threaded build."""

from __future__ import annotations

import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import Final

from gilstudy.host.runtime import gil_enabled, gil_request, is_free_threaded

NO_GIL: Final = "not applicable: this build has no GIL"


def unreadable() -> str:
    """Why the GIL cannot be read; "" if it can, or could if it were on."""
    if sys.implementation.name != "cpython":
        return f"not available, because only CPython's GIL can be read, and this is {sys.implementation.name}"
    if reason := unwatchable():
        return f"not available, because {reason}"
    from gilstudy import _gilwatch

    for _ in range(3):  # another thread may change the interval between the two looks at it
        reason = _gilwatch.gil_reason(round(sys.getswitchinterval() * 1e6))
        if not reason:
            return ""
    return f"not available, because {reason}"


def unwatchable() -> str:
    """Why nothing at all can be watched, neither the GIL nor threads; "" if something can."""
    try:
        import gilstudy._gilwatch  # noqa: F401
    except ImportError as error:
        return _why_unloadable(error)
    return ""


def _why_unloadable(error: ImportError) -> str:
    """What the compiler said when gilstudy was installed, or else this error."""
    try:
        said = Path(__file__).parent.with_name("_gilwatch.unbuilt").read_text(encoding="utf-8").strip()
    except OSError:
        return f"gilstudy's extension _gilwatch cannot be loaded: {error}"
    return f"gilstudy was installed without its extension _gilwatch, which could not be compiled: {said}"


def gil_reason() -> str:
    """Why there is nothing to be seen of the GIL right now; "" if there is."""
    return unreadable() or ("" if gil_enabled() else NO_GIL)


def wanted_by() -> tuple[str, ...]:
    """What turned the GIL of a free-threaded build on: the setting, or else the modules that ask for it.

    Empty if the GIL is off, or if this is an ordinary build, which always has one.
    """
    if not is_free_threaded() or not gil_enabled():
        return ()
    setting = gil_request()
    return (setting,) if setting else tuple(name for name, module in list(sys.modules.items()) if _asks(module))


def _asks(module: object) -> bool:
    """Whether ``module`` is an extension that did not declare that it can do without the GIL."""
    from gilstudy import _gilwatch

    spec = getattr(module, "__spec__", None)
    if not isinstance(module, ModuleType) or not isinstance(getattr(spec, "loader", None), ExtensionFileLoader):
        return False
    return _gilwatch.module_wants_gil(module) is True
