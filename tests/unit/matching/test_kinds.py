"""Each kind of hash is one class, and runs over its own examples."""

import importlib
import pkgutil

import pytest

from kinward.matching import kinds
from kinward.matching.kinds import FILE_KINDS, KINDS, Carried, HashKind, kind_named, kind_of
from kinward.matching.uploaded import CURRENT, FORMATS

EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def concrete(base: type) -> set[type]:
    direct: set[type] = set(base.__subclasses__())
    named = {cls for cls in direct if "name" in vars(cls) and cls.__module__.startswith("kinward.")}
    return named.union(*map(concrete, direct))


def test_every_class_of_a_kind_is_in_the_registry_once() -> None:
    for module in pkgutil.iter_modules(kinds.__path__, f"{kinds.__name__}."):
        importlib.import_module(module.name)
    assert concrete(HashKind) == {type(kind) for kind in KINDS}
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@EVERY
def test_an_example_is_read_and_written_alike(kind: HashKind) -> None:
    assert len(set(kind.examples)) >= 2
    for example in kind.examples:
        value = kind.parse(example)
        assert kind.write(value) == example
        assert kind.parse(f" {example}\n") == value
        assert kind.says_enough(value, 100)


@EVERY
def test_what_is_none_is_a_reason_and_not_a_value(kind: HashKind) -> None:
    for wrong in ("", "-" * 100_000):
        with pytest.raises(ValueError, match=r"\w"):
            kind.parse(wrong)
    assert not kind.says_enough(b"", 100)


@EVERY
def test_an_example_is_looked_up_in_one_way_at_least(kind: HashKind) -> None:
    for example in kind.examples:
        value = kind.parse(example)
        assert kind.exact(value) or kind.frames(value) or kind.text(value)
        assert bool(kind.frames(value)) == kind.near
        assert {len(frame) for frame in kind.frames(value)} <= {32}


@EVERY
def test_a_kind_is_known_by_all_its_names(kind: HashKind) -> None:
    for name in (kind.name, *kind.aliases, kind.name.upper(), f" {kind.name} "):
        assert kind_named(name) is kind
    assert kind_of(kind.name) is kind
    others = {name for other in KINDS if other is not kind for name in (other.name, *other.aliases)}
    assert not others & {kind.name, *kind.aliases}


def test_each_kind_has_words_of_its_own_for_a_reviewer() -> None:
    words = [kind.in_words("the verified bank “known”", 7) for kind in KINDS]
    assert all("the verified bank “known”" in text and text.endswith(".") for text in words)
    assert len(set(words)) == len(KINDS)


def test_a_kind_that_is_not_known_is_carried_as_it_came() -> None:
    carried = kind_named("PDNA")
    assert isinstance(carried, Carried)
    assert carried.name == "photodna"
    assert carried.write(carried.parse(" 1,2 ")) == " 1,2 "
    assert carried.exact(b"x") == [b"x"]
    with pytest.raises(ValueError, match="letters, digits and underscores"):
        kind_named("a kind!")


def test_what_files_have_is_in_what_is_held() -> None:
    """Otherwise a list that grows would not be looked for in what was uploaded before."""
    fields = {name for name, _ in FORMATS[CURRENT]}
    for name in FILE_KINDS:
        assert kind_of(name).near or name in fields, f"{name} has no field in the current format"


def test_a_hash_of_too_little_structure_says_nothing() -> None:
    pdq = kind_of("pdq")
    assert pdq.least_quality == 50
    assert not pdq.says_enough(bytes(32), 49)
    assert not pdq.says_enough(bytes(32), None)
    assert not pdq.says_enough(bytes(32), 100)
    assert pdq.says_enough(bytes(31) + b"\1", 50)
    assert kind_of("video").says_enough(bytes(32) + bytes(31) + b"\1", None)
    assert not kind_of("video").says_enough(bytes(64), None)
