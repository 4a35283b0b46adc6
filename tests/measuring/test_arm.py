"""Names of arms: written, read back, refused; and the baseline that follows from an arm."""

from __future__ import annotations

import pytest
from properties import given, st

from gilstudy.measuring.arm import Arm, parse

LOWER = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
LABEL = st.text("abcXYZ0123456789._", min_size=1, max_size=8)
RUNTIME = st.builds(
    lambda label, number, switches: label + (f"~{number}" if number else "") + "".join(f"+{s}" for s in switches),
    LABEL,
    st.integers(0, 9),
    st.lists(st.text("abcz0189_=.", min_size=1, max_size=6), max_size=2),
)
ARMS = st.builds(
    Arm,
    mode=LOWER,
    kernel=st.one_of(st.just(""), st.from_regex(r"[a-z][a-z0-9_]{0,7}", fullmatch=True)),
    option=st.one_of(st.just(""), st.text(min_size=1, max_size=20).filter(lambda text: not set("[]") & set(text))),
    runtime=st.one_of(st.just(""), RUNTIME),
)


@given(ARMS)
def test_a_name_is_read_back(arm: Arm) -> None:
    assert parse(arm.name) == arm


@given(ARMS)
def test_the_baseline_differs_in_the_mode_alone_and_is_its_own_baseline(arm: Arm) -> None:
    baseline = arm.baseline
    assert baseline.is_baseline
    assert baseline.baseline == baseline
    assert (baseline.kernel, baseline.runtime) == (arm.kernel, arm.runtime)


@pytest.mark.parametrize(
    ("name", "arm"),
    [
        ("threads", Arm(mode="threads")),
        ("threads-nogil", Arm(mode="threads", kernel="nogil")),
        ("processes[spawn]", Arm(mode="processes", option="spawn")),
        ("hybrid[2x4]@3.14", Arm(mode="hybrid", option="2x4", runtime="3.14")),
        ("executor[dask:tcp://127.0.0.1:8786]", Arm(mode="executor", option="dask:tcp://127.0.0.1:8786")),
        ("threads@3.13t+gil", Arm(mode="threads", runtime="3.13t+gil")),
        ("threads-held@3.13~2+gil+jit", Arm(mode="threads", kernel="held", runtime="3.13~2+gil+jit")),
    ],
)
def test_names_mean_what_they_say(name: str, arm: Arm) -> None:
    assert parse(name) == arm
    assert arm.name == name


@pytest.mark.parametrize(
    "name",
    ["", "-nogil", "threads-", "threads[]", "threads[a", "threads[a]b", "threads@", "threads@/usr/bin/python", "Th"],
)
def test_what_is_no_name_is_none(name: str) -> None:
    assert parse(name) is None
