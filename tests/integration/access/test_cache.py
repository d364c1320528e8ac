"""What sign-in keeps in a table is data. Whoever writes a row there runs no code in Kinward."""

import base64
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection

pytestmark = pytest.mark.django_db


class Planted:
    """A pickle of this writes a file as it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def plant(key: str, value: str) -> None:
    """Write a row as somebody who has the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO access_cache (cache_key, value, expires) "
            "VALUES (%s, %s, now() + interval '1 day')",
            [cache.make_key(key), value],
        )


def test_a_row_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "run"
    pickle.loads(pickle.dumps(Planted(mark)))  # noqa: S301
    assert mark.exists(), "the pickle works"
    mark.unlink()
    for name, protocol in (("old", 0), ("new", pickle.HIGHEST_PROTOCOL)):
        plant(name, base64.b64encode(pickle.dumps(Planted(mark), protocol)).decode())
        assert cache.get(name, "absent") == "absent"
        assert cache.get_many([name]) == {}
    assert not mark.exists()


@pytest.mark.parametrize("value", ["no json", "", "[" * 100_000, "[" * 5_000, '"' + "x" * 100_000])
def test_a_row_that_is_no_value_is_absent(value: str) -> None:
    plant("strange", value)
    assert cache.get("strange", "absent") == "absent"
    cache.set("strange", 1)
    assert cache.get("strange") == 1


@pytest.mark.parametrize("value", [True, "y", 7, [1.5, 2.5], {"a": [None]}, "ä\x00"])
def test_it_keeps_what_it_was_given(value: Any) -> None:
    cache.set("a", value, timeout=60)
    assert cache.get("a") == json.loads(json.dumps(value))
    assert cache.has_key("a")
    assert cache.delete("a")
    assert not cache.delete("a")
    assert cache.get("a") is None


def test_of_two_who_add_one_succeeds_until_it_is_over() -> None:
    assert cache.add("code", "y", timeout=30)
    assert not cache.add("code", "z", timeout=30)
    assert cache.get("code") == "y"
    assert cache.touch("code", timeout=-1)
    assert cache.get("code") is None
    assert not cache.touch("code", timeout=30)
    assert cache.add("code", "z", timeout=None)
    assert cache.get("code") == "z"
    cache.clear()
    assert cache.get("code") is None


def test_a_long_key_is_a_key() -> None:
    assert cache.add("k" * 9_000, 1)
    assert not cache.add("k" * 9_000, 2)
    assert cache.add("k" * 9_001, 3)
    with pytest.raises(TypeError):
        cache.set("a", object())
