"""Every kind of entry and every table is compared, or says why it is not."""

from django.apps import apps

from kinward.ledger import kinds
from kinward.ledger.api import rowless_kinds, unrecorded_tables
from kinward.reconciliation.api import gathered


def compared() -> set[str]:
    return {fact.kind for one in gathered() for fact in one.facts}


def test_every_kind_of_entry_has_a_row_or_a_reason() -> None:
    missing = set(kinds.KINDS) - compared() - set(rowless_kinds())
    assert not missing, "declare its row in the room's counterparts.py, or say why there is none"
    assert not compared() & set(rowless_kinds()), "a kind has a row or a reason, not both"
    assert all(len(why) > 10 for why in rowless_kinds().values())


def test_every_table_has_entries_or_a_reason() -> None:
    tables = {model for model in apps.get_models() if model.__module__.startswith("kinward.")}
    declared = {one.model for one in gathered()}
    assert not tables - declared - set(unrecorded_tables()), "declare it, or say why not"
    assert not declared & set(unrecorded_tables())
    assert all(len(why) > 10 for why in unrecorded_tables().values())


def test_each_mark_of_a_row_can_be_told_from_the_others() -> None:
    """Two marks of one table never share a kind, or neither could be told from the other."""
    for one in gathered():
        marked = [fact for mark in one.marks for fact in mark.facts]
        assert len(marked) == len(set(marked)), one.name
