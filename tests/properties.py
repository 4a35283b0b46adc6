"""Hypothesis; where it is not installed, its tests skip and say so, and all others run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

__all__ = ["HealthCheck", "given", "settings", "st"]

if TYPE_CHECKING:
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st
else:
    try:
        from hypothesis import HealthCheck, given, settings
        from hypothesis import strategies as st
    except ImportError:

        class Absent:
            """Takes whatever a strategy, or a setting, is made of."""

            def __getattr__(self, name: str) -> Absent:
                return self

            def __call__(self, *args: Any, **kwargs: Any) -> Absent:
                return self

            def __or__(self, other: object) -> Absent:
                return self

        HealthCheck = st = Absent()

        def given(*args: Any, **kwargs: Any) -> Any:
            return pytest.mark.skip(reason="hypothesis is not installed")

        def settings(*args: Any, **kwargs: Any) -> Any:
            return lambda function: function

    else:
        # How long an example takes, or its making, says something about the host, which may be busy, and nothing more.
        # A fixture that lasts for a whole test lasts for all its examples, and is used so.
        SUPPRESSED = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
        settings.register_profile("by truth", deadline=None, suppress_health_check=SUPPRESSED)
        settings.load_profile("by truth")
