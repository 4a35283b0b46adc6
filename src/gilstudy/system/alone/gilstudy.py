"""Stands for the package three folders up, wherever that lies, and puts it in its own place when it is imported.

Were the package's own folder on PYTHONPATH, all that lies beside it would come before the standard library: in
site-packages there may be an old backport of ``typing`` or ``pathlib``.
"""

import os.path
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

_here = os.path.abspath(__file__)  # noqa: PTH100
_beside = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(_here))))  # noqa: PTH120
_spec = PathFinder.find_spec("gilstudy", [_beside])
assert _spec is not None and _spec.loader is not None
sys.modules[__name__] = _package = module_from_spec(_spec)
_spec.loader.exec_module(_package)
