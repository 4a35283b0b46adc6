"""An arm: in which mode workers run which kernel under which interpreter. Its name and its baseline are derived.

The grammar of names, which `Arm.name` writes and `parse` reads::

    name    = mode ["-" kernel] ["[" option "]"] ["@" runtime]
    runtime = label ["~" number] {"+" switch}

No kernel means the subject of the study: the countdown in pure Python. An option is whatever the mode makes of it, such
as a start method; a runtime's label is a version such as ``3.13t``, never a path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from gilstudy.codec import Workers

SINGLE: Final = "single"
CEILING: Final = "ceiling"

_NAME: Final = re.compile(
    r"(?P<mode>[a-z]+)"
    r"(?:-(?P<kernel>[a-z][a-z0-9_]*))?"
    r"(?:\[(?P<option>[^\[\]]+)\])?"
    r"(?:@(?P<runtime>[A-Za-z0-9._]+(?:~[0-9]+)?(?:\+[A-Za-z0-9_=.]+)*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A mode, a kernel, an option of the mode, and an interpreter: the thing that is timed."""

    mode: str
    kernel: str = ""
    """The loop that is run; "" for the study's subject. GIL behaviour belongs to it."""
    option: str = ""
    """What the mode makes of it, such as how processes are started; "" for what is usual."""
    runtime: str = ""
    """The interpreter's label and switches; "" for the one that the study itself runs under."""

    @property
    def name(self) -> str:
        """The name that `parse` reads."""
        kernel, option = f"-{self.kernel}" * bool(self.kernel), f"[{self.option}]" * bool(self.option)
        return f"{self.mode}{kernel}{option}" + f"@{self.runtime}" * bool(self.runtime)

    @property
    def baseline(self) -> Arm:
        """The arm whose single worker is the denominator of this one's speedups: it differs in the mode alone."""
        return self if self.is_ceiling else replace(self, mode=SINGLE, option="")

    @property
    def is_baseline(self) -> bool:
        """Whether other arms' speedups, or those of more workers, are ratios to this one."""
        return self.is_ceiling or self.mode == SINGLE

    @property
    def is_ceiling(self) -> bool:
        """Whether this arm shows what the host can give: native threads, with no Python between them."""
        return self.mode == CEILING


def parse(name: str) -> Arm | None:
    """The arm of this name; None if the name is not of the grammar. Whether there is such a mode is not asked."""
    match = _NAME.fullmatch(name)
    return Arm(**{part: text or "" for part, text in match.groupdict().items()}) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An arm at a worker count."""

    arm: Arm
    workers: Workers
