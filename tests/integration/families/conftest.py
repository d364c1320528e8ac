"""The people whom tests of families have in common."""

import pytest

from kinward.people.models import Account
from tests.support.families import make_account, pair


@pytest.fixture
def heron(db: None) -> Account:
    return make_account("heron", 41)


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("sandpiper", 15)


@pytest.fixture
def other(db: None) -> tuple[Account, Account]:
    """Another family: a guardian and a teen."""
    egret, plover = make_account("egret", 44), make_account("plover", 15)
    pair(egret, plover)
    return egret, plover
