"""What the tutorial claims, and what is said of it: a verdict, its evidence, its scope, a counterexample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

ClaimVerdict = Literal["supported", "refuted", "inconclusive", "untestable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim and what was found about it."""

    id: str
    verdict: ClaimVerdict
    evidence: str
    """One sentence with its numbers."""
    scope: str
    """Where the verdict holds: interpreter and worker counts."""
    counterexample: str | None
    """The arm that refutes the claim; None if none does."""


TEXTS: Final = {
    "threads-do-not-scale": "Two threads counting down take as long as one after the other.",
    "threads-slower-than-serial": "Threads are even slower than one thread, for switching and locking.",
    "threads-use-one-core": "However many threads run on however many cores, they use one core.",
    "c-extension-scales": "Threads over a C extension can use many cores.",
    "c-must-release-the-gil": "(left unsaid) C alone is not enough: it must release the GIL.",
    "processes-scale": "Each process has its own GIL, so processes use many cores.",
    "only-c-or-processes": "Only C extensions or processes give Python multi-core speedup.",
    "needs-gil-free-interpreter": "For threads to use many cores the interpreter must be rewritten without a GIL.",
    "switch-every-100-bytecodes": "The interpreter releases the GIL after every 100 bytecodes.",
    "lost-updates-without-lock": "Without a lock, threads corrupt a variable that they share.",
    "lock-prevents-lost-updates": "With a lock the result is right.",
    "lock-serialises": "A locked section runs as a single thread does, and much slower.",
    "lock-order-deadlocks": "Threads that take several locks in opposite order can hang for ever.",
    "threads-share-processes-copy": "Threads share variables; each process has its own copy.",
}
"""Every claim by its id, in the text's order, in the project's own words."""
