"""Every table says what it holds of a person, or why it holds nothing of anybody."""

from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from kinward.erasure.registry import children_first, gathered
from kinward.ground.personal import Holding, nobodys_tables
from kinward.people.models import Account


def tables() -> set[type[models.Model]]:
    return {model for model in apps.get_models() if model.__module__.startswith("kinward.")}


def declared() -> dict[type[models.Model], list[Holding]]:
    found: dict[type[models.Model], list[Holding]] = {}
    for holding in gathered():
        found.setdefault(holding.model, []).append(holding)
    return found


def ways_to_account(model: type[models.Model], seen: tuple[Any, ...] = ()) -> set[str]:
    """Every lookup by which a row leads to an account, through foreign keys."""
    ways: set[str] = set()
    for field in model._meta.concrete_fields:
        target: Any = field.related_model
        if target is Account:
            ways.add(field.name)
        elif target is not None and target not in seen:
            below = ways_to_account(target, (*seen, model))
            ways |= {f"{field.name}__{way}" for way in below}
    return ways


def test_every_table_is_declared_by_its_room() -> None:
    missing = tables() - set(declared()) - set(nobodys_tables())
    assert not missing, "declare it in the room's personal.py, or say there why it holds nobody"
    assert not set(declared()) & set(nobodys_tables())
    assert all(len(why) > 10 for why in nobodys_tables().values())


def test_no_table_that_leads_to_an_account_is_said_to_hold_nobody() -> None:
    assert not {model.__name__ for model in nobodys_tables() if ways_to_account(model)}


def test_each_foreign_key_to_an_account_is_declared() -> None:
    """Otherwise its rows would be left, and the database would refuse every erasure."""
    for model, holdings in declared().items():
        whose = {way for holding in holdings for way in holding.whose}
        direct = {way for way in ways_to_account(model) if "__" not in way}
        assert direct <= whose, model.__name__


def test_a_table_that_leads_to_an_account_says_whose_its_rows_are() -> None:
    for model, holdings in declared().items():
        if model is not Account and ways_to_account(model):
            assert any(holding.whose for holding in holdings), model.__name__


def test_a_table_is_told_or_says_why_not() -> None:
    for holding in gathered():
        assert bool(holding.told) != bool(holding.untold), holding.model.__name__
        assert not holding.shown or holding.told


def test_what_is_declared_is_there() -> None:
    for holding in gathered():
        names = {field.name for field in holding.model._meta.concrete_fields}
        mentioned = {mention.partition(".")[0] for mention in (*holding.mentions, *holding.acts)}
        assert {*holding.told, *mentioned, *holding.blank} <= names, holding.model.__name__


def test_a_bare_id_is_looked_for_only_where_ids_of_accounts_stand() -> None:
    """An account may be called like any word or number that other rows have for another thing."""
    for holding in gathered():
        for mention in holding.mentions:
            column, _, key = mention.partition(".")
            field = holding.model._meta.get_field(column)
            assert bool(key) == isinstance(field, models.JSONField), mention
            assert key or column in {"sent_to", "example"}, f"{mention}: is it an id or an actor?"


def test_columns_with_ids_of_accounts_are_declared() -> None:
    """An actor, an array of accounts, or grounds: what names an account without a foreign key."""
    named = {"actor", "set_by", "told_by", "made_by", "paused_by", "sent_to", "example", "grounds"}
    staffs = {"PackVersion", "Activation", "Verdict"}  # made by people of the staff and by rules
    for model, holdings in declared().items():
        both = [name for holding in holdings for name in (*holding.mentions, *holding.acts)]
        mentioned = {name.partition(".")[0] for name in both}
        for field in model._meta.concrete_fields:
            plain = isinstance(field, models.CharField | models.JSONField | ArrayField)
            if plain and field.name in named and model.__name__ not in staffs:
                also = any(holding.also for holding in holdings)
                assert field.name in mentioned or also, f"{model.__name__}.{field.name}"


def test_rows_go_before_those_that_they_point_at() -> None:
    order = children_first(declared())
    for at, model in enumerate(order):
        for field in model._meta.concrete_fields:
            if field.related_model in order and field.related_model is not model:
                assert order.index(field.related_model) > at, (model, field.name)
