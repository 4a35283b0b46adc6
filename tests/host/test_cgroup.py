from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from properties import given, settings, st
from trees import mount, plant, v1, v2

from gilstudy.host.cgroup import Quota, Throttling, read_quota, read_throttling

NO_QUOTA = {"cpu.max": "max 100000\n"}


def quota(root: Path, files: dict[str, str]) -> tuple[float, str] | None:
    found = read_quota(plant(root, files))
    return (found.cpus, found.source) if found else None


# -- version 2 -----------------------------------------------------------------------------------------------------


def test_v2_reads_the_group_of_the_process_itself_and_not_the_mount(tmp_path: Path) -> None:
    files = v2(
        "/app.slice/run.scope", {"app.slice/run.scope/cpu.max": "150000 100000\n", "other/cpu.max": "1000 100000"}
    )
    assert quota(tmp_path, files) == (1.5, "cgroup v2 cpu.max")


def test_v2_takes_the_tightest_of_all_groups_above(tmp_path: Path) -> None:
    files = v2(
        "/a/b/c",
        {
            "a/cpu.max": "50000 100000\n",
            "a/b/cpu.max": "max 100000\n",
            "a/b/c/cpu.max": "200000 100000\n",
        },
    )
    assert quota(tmp_path, files) == (0.5, "cgroup v2 cpu.max of a group above")


def test_v2_compares_cpus_and_not_microseconds(tmp_path: Path) -> None:
    files = v2("/a/b", {"a/cpu.max": "10000 5000\n", "a/b/cpu.max": "20000 100000\n"})
    assert quota(tmp_path, files) == (0.2, "cgroup v2 cpu.max")


def test_v2_max_is_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path, v2("/a", {"a/cpu.max": "max 100000\n", "cpu.max": "max 100000\n"})) is None


def test_v2_without_a_period_has_the_usual_one(tmp_path: Path) -> None:
    assert quota(tmp_path, v2("/a", {"a/cpu.max": "25000\n"})) == (0.25, "cgroup v2 cpu.max")


def test_a_container_with_its_own_namespace_finds_its_quota_at_the_mount(tmp_path: Path) -> None:
    assert quota(tmp_path, v2("/", {"cpu.max": "120000 100000\n"})) == (1.2, "cgroup v2 cpu.max")


def test_a_space_in_the_mount_point_is_unescaped(tmp_path: Path) -> None:
    files = v2("/a", {})
    files["proc/self/mountinfo"] = mount("/my\\040groups")
    files["my groups/a/cpu.max"] = "30000 100000"
    assert quota(tmp_path, files) == (0.3, "cgroup v2 cpu.max")


def test_a_group_that_was_removed_leaves_those_above(tmp_path: Path) -> None:
    assert quota(tmp_path, v2("/a/b (deleted)", {"a/cpu.max": "70000 100000"})) == (
        0.7,
        "cgroup v2 cpu.max of a group above",
    )


# -- version 1 and both together -----------------------------------------------------------------------------------


def test_v1_reads_the_hierarchy_with_the_cpu_controller(tmp_path: Path) -> None:
    files = v1("/jobs/one", {"jobs/one/cpu.cfs_quota_us": "50000\n", "jobs/one/cpu.cfs_period_us": "200000\n"})
    assert quota(tmp_path, files) == (0.25, "cgroup v1 cpu.cfs_quota_us")


def test_v1_minus_one_is_no_quota_but_the_group_above_has_one(tmp_path: Path) -> None:
    files = v1(
        "/jobs/one",
        {
            "jobs/one/cpu.cfs_quota_us": "-1\n",
            "jobs/one/cpu.cfs_period_us": "100000\n",
            "jobs/cpu.cfs_quota_us": "80000\n",
            "jobs/cpu.cfs_period_us": "100000\n",
            "cpu.cfs_quota_us": "-1\n",
        },
    )
    assert quota(tmp_path, files) == (0.8, "cgroup v1 cpu.cfs_quota_us of a group above")


def test_v1_ignores_the_quota_files_of_other_hierarchies(tmp_path: Path) -> None:
    files = v1("/jobs", {"jobs/cpu.cfs_quota_us": "-1\n"})
    files["sys/fs/cgroup/cpuset/other/cpu.cfs_quota_us"] = "1000\n"
    assert quota(tmp_path, files) is None


def test_v1_container_without_a_namespace_sees_only_its_own_branch(tmp_path: Path) -> None:
    files = v1("/docker/abc", {"cpu.cfs_quota_us": "40000", "cpu.cfs_period_us": "100000"}, shown="/docker/abc")
    assert quota(tmp_path, files) == (0.4, "cgroup v1 cpu.cfs_quota_us")


def test_hybrid_takes_the_tighter_of_both_versions(tmp_path: Path) -> None:
    files = v1("/jobs", {"jobs/cpu.cfs_quota_us": "90000"})
    files["sys/fs/cgroup/unified/unified/cpu.max"] = "60000 100000"
    assert quota(tmp_path, files) == (0.6, "cgroup v2 cpu.max")


# -- namespaces ----------------------------------------------------------------------------------------------------


def test_a_mount_from_outside_the_namespace_is_searched_for_this_process(tmp_path: Path) -> None:
    files = v2(
        "/mine",
        {
            "x/one/mine/cgroup.procs": "12\n47110\n",
            "x/one/mine/cpu.max": "10000 100000",
            "x/two/mine/cgroup.procs": "12\n4711\n",
            "x/two/mine/cpu.max": "90000 100000",
            "x/two/cpu.max": "80000 100000",
            "x/cpu.max": "70000 100000",
        },
        shown="/../..",
    )
    assert quota(tmp_path, files) == (0.7, "cgroup v2 cpu.max of a group above")
    (tmp_path / "sys/fs/cgroup/x/two/mine/cpu.max").write_text("65000 100000")
    assert read_quota(tmp_path) == Quota(cpus=0.65, source="cgroup v2 cpu.max")


def test_if_it_is_not_found_there_the_topmost_group_still_counts(tmp_path: Path) -> None:
    files = v2("/mine", {"x/mine/cpu.max": "10000 100000", "cpu.max": "90000 100000"}, shown="/..")
    assert quota(tmp_path, files) == (0.9, "cgroup v2 cpu.max of a group above")


@pytest.mark.parametrize(("own", "shown"), [("/../other", "/"), ("/a", "/b"), ("/a", "/a/b")])
def test_a_mount_of_another_branch_says_nothing(tmp_path: Path, own: str, shown: str) -> None:
    files = v2(
        own, {"cpu.max": "10000 100000", "other/cpu.max": "10000 100000", "a/cpu.max": "10000 100000"}, shown=shown
    )
    assert quota(tmp_path, files) is None


# -- throttling ----------------------------------------------------------------------------------------------------

V2_STAT = "usage_usec 5\nuser_usec 3\nnr_periods 40\nnr_throttled 10\nthrottled_usec 2500\n"
V1_STAT = "nr_periods 40\nnr_throttled 10\nthrottled_time 2500\n"


def test_v2_counts_microseconds(tmp_path: Path) -> None:
    plant(tmp_path, v2("/a", {"a/cpu.stat": V2_STAT}))
    assert read_throttling(tmp_path) == Throttling(periods=40, throttled_periods=10, throttled_ns=2_500_000)


def test_v1_counts_nanoseconds(tmp_path: Path) -> None:
    plant(tmp_path, v1("/a", {"a/cpu.stat": V1_STAT}))
    assert read_throttling(tmp_path) == Throttling(periods=40, throttled_periods=10, throttled_ns=2500)


def test_throttling_of_the_groups_above_counts_too_and_each_group_once(tmp_path: Path) -> None:
    files = v2("/a/b", {"a/cpu.stat": V2_STAT, "a/b/cpu.stat": "nr_periods 2\nnr_throttled 1\nthrottled_usec 7\n"})
    files["proc/self/mountinfo"] += mount("/sys/fs/cgroup")  # the same once more
    plant(tmp_path, files)
    assert read_throttling(tmp_path) == Throttling(periods=42, throttled_periods=11, throttled_ns=2_507_000)


def test_groups_without_a_quota_have_nothing_to_count(tmp_path: Path) -> None:
    plant(tmp_path, v2("/a", {"a/cpu.stat": "usage_usec 5\nuser_usec 3\nsystem_usec 2\n"}))
    assert read_throttling(tmp_path) == Throttling(periods=0, throttled_periods=0, throttled_ns=0)


# -- what makes no sense -------------------------------------------------------------------------------------------


def test_no_files_at_all(tmp_path: Path) -> None:
    assert read_quota(tmp_path) is None
    assert read_throttling(tmp_path) == Throttling()


@pytest.mark.parametrize(
    "text", ["", "\n", "x 100000", "50000 x", "0 100000", "-5 100000", "50000 0", "5e4 1e5", "nan 1", "9" * 400 + " 1"]
)
def test_a_senseless_quota_is_none(tmp_path: Path, text: str) -> None:
    assert quota(tmp_path, v2("/a", {"a/cpu.max": text})) is None


def test_a_folder_where_a_file_should_be(tmp_path: Path) -> None:
    plant(tmp_path, v2("/a", {"a/cpu.max/x": "", "a/cpu.stat/x": "", "cpu.max": "50000 100000"}))
    assert read_quota(tmp_path) == Quota(cpus=0.5, source="cgroup v2 cpu.max of a group above")


LINES = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.sampled_from(
            [
                b"0::/a",
                b"0::",
                b"::",
                b"4:cpu:/../..",
                b"0::/\0",
                mount("/\\000").encode(),
                mount("").encode(),
                b" - - ",
            ]
        ),
    ),
    max_size=6,
).map(b"\n".join)


@settings(max_examples=60, deadline=None)
@given(groups=LINES, mounts=LINES, stat=LINES, limit=LINES)
def test_garbage_never_raises(groups: bytes, mounts: bytes, stat: bytes, limit: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = plant(
            Path(folder),
            {
                "proc/self/cgroup": groups + b"\n0::/a",
                "proc/self/mountinfo": mounts + b"\n" + mount("/sys/fs/cgroup").encode(),
                "sys/fs/cgroup/a/cpu.max": limit,
                "sys/fs/cgroup/a/cpu.stat": stat,
            },
        )
        found = read_quota(root)
        assert found is None or found.cpus > 0
        assert read_throttling(root).throttled_periods >= 0
