"""The list of erasures only grows, and a process killed while it writes breaks nothing."""

from uuid import uuid4

import pytest

from kinward.erasure.errors import ListBroken
from kinward.erasure.list import append, list_path, read_list
from tests.integration.conftest import Configure


@pytest.fixture(autouse=True)
def secret(configure: Configure) -> None:
    configure(identifier_key="a key of a test")


@pytest.mark.parametrize("kept", [0, 1, 40, -1])
def test_a_line_that_was_not_finished_is_none(kept: int) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    append(first, "member-1")
    whole = list_path().read_bytes()
    append(second, "member-2")
    torn = list_path().read_bytes()[len(whole) :][:kept]
    list_path().write_bytes(whole + torn)
    assert [line.erasure for line in read_list()] == [first]
    append(third, "member-3")
    assert [line.erasure for line in read_list()] == [first, third]


def test_a_line_that_somebody_changed_is_told(secret: None) -> None:
    for name in ("member-1", "member-2"):
        append(uuid4(), name)
    lines = list_path().read_bytes().splitlines(keepends=True)
    for broken in (lines[1:], [lines[1], lines[0]], [lines[0].replace(b"Z", b"Y"), lines[1]]):
        list_path().write_bytes(b"".join(broken))
        with pytest.raises(ListBroken):
            read_list()
