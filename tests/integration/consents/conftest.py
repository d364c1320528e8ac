"""A practice App Store that this Kinward trusts, the platform's calls, and a family."""

from pathlib import Path

import pytest

from kinward.access.actor import Actor
from kinward.access.purposes import SCOPES
from kinward.access.services import create_key
from kinward.people.models import Account
from tests.integration.conftest import Configure
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair
from tests.support.stores import SETTINGS, Apple


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("app-store")


@pytest.fixture
def apple(chain: Path, configure: Configure) -> Apple:
    apple = Apple(chain)
    configure(**SETTINGS, app_store_roots=str(apple.signer.root), refused_per_minute=0)
    return apple


@pytest.fixture
def call(apple: Apple, db: None) -> Caller:
    return Caller(create_key(name="app", scopes=SCOPES, actor=Actor.system("test")))


@pytest.fixture
def teen(db: None) -> Account:
    return make_account("wren", 15)


@pytest.fixture
def guardian(teen: Account) -> Account:
    made = make_account("heron", 40)
    pair(made, teen)
    return made
