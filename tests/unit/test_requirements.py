"""Every locked package has a wheel for each machine that we support: no set-up needs a compiler."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.tags import Tag, compatible_tags, cpython_tags, parse_tag

REQUIREMENTS = Path("requirements")
TABLE = "wheels.txt"
NEEDS_A_COMPILER = "bench.txt"  # and says so
LOCKS = sorted({path.name for path in REQUIREMENTS.glob("*.txt")} - {TABLE})
MINORS = (11, 12, 13, 14)

# The oldest systems that we support: Debian 12, with glibc 2.36, and macOS 14.
GLIBC = [f"manylinux_2_{minor}" for minor in range(36, 4, -1)]
MANYLINUX = [*GLIBC, "manylinux2014", "manylinux2010", "manylinux1"]
MACOS = [f"macosx_{major}_0" for major in range(14, 10, -1)]
MACOS += [f"macosx_10_{minor}" for minor in range(16, 8, -1)]
MACHINES = {
    "Linux x86-64": (
        [f"{system}_x86_64" for system in MANYLINUX],
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    ),
    "Linux arm64": (
        [f"{system}_aarch64" for system in MANYLINUX],
        {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    ),
    "macOS arm64": (
        [f"{system}_{arch}" for system in MACOS for arch in ("arm64", "universal2")],
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
    ),
}


def read_lock(name: str) -> Iterator[tuple[str, str]]:
    """Each `name==version` of a lock, and its marker ("" for none)."""
    for line in (REQUIREMENTS / name).read_text().splitlines():
        if line[:1] not in (" ", "#"):
            pinned = re.fullmatch(r"([a-z0-9-]+==[^\s;]+)(?: ; (.*?))? \\", line)
            assert pinned, line
            yield pinned[1], pinned[2] or ""


def read_wheels() -> dict[str, set[Tag]]:
    """The tags of each locked package's wheels, by its `name==version`."""
    lines = (REQUIREMENTS / TABLE).read_text().splitlines()
    rows = (line.split() for line in lines)
    return {row[0]: {tag for text in row[1:] for tag in parse_tag(text)} for row in rows}


WHEELS = read_wheels()


def accepted_tags(minor: int, machine: str) -> set[Tag]:
    """The tags that CPython 3.`minor` installs on a machine."""
    platforms = MACHINES[machine][0]
    return {
        *cpython_tags((3, minor), platforms=platforms),
        *compatible_tags((3, minor), interpreter=f"cp3{minor}", platforms=platforms),
    }


def is_wanted(marker: str, minor: int, machine: str) -> bool:
    environment = {
        "python_version": f"3.{minor}",
        "python_full_version": f"3.{minor}.5",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
        **MACHINES[machine][1],
    }
    return not marker or Marker(marker).evaluate(environment)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("lock", [name for name in LOCKS if name != NEEDS_A_COMPILER])
def test_every_locked_package_has_a_wheel(lock: str, minor: int, machine: str) -> None:
    tags = accepted_tags(minor, machine)
    wanted = [name for name, marker in read_lock(lock) if is_wanted(marker, minor, machine)]
    assert wanted
    assert [name for name in wanted if not WHEELS[name] & tags] == []


def test_the_table_of_wheels_is_of_just_what_is_locked() -> None:
    """`make lock` writes both."""
    assert {name for lock in LOCKS for name, _ in read_lock(lock)} == set(WHEELS)


def test_every_python_runs_the_same_versions() -> None:
    """What the tests ran on is what every community runs on."""
    names = [pinned.partition("==")[0] for pinned, _ in read_lock("run.txt")]
    assert sorted(names) == sorted(set(names))
