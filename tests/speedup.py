"""Checks of speedup that cannot cry wolf: they fail on evidence against, and skip where the host cannot tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest


def expect(arms: Iterable[Mapping[str, Any]], arm: str, verdict: str) -> None:
    """Fail if ``arm`` surely does the opposite of ``verdict``; skip, with the host's evidence, if nothing is sure.

    Args:
        arms: ``findings.arms`` of a study.
        arm: the arm's name.
        verdict: ``scales`` or ``does-not-scale``.
    """
    found = [finding for finding in arms if finding["arm"] == arm and finding["workers"] > 1]
    assert found, f"the study has no arm {arm}"
    for finding in found:
        if finding["verdict"] == "inconclusive":
            pytest.skip(f"{arm} with {finding['workers']} workers: {finding['reason']}")
        speedup = finding["speedup"]
        shown = f"{speedup['point']:.2f}x [{speedup['low']:.2f}, {speedup['high']:.2f}]"
        if finding["verdict"] != verdict:
            pytest.fail(f"{arm} with {finding['workers']} workers: {finding['verdict']}, at {shown}")
