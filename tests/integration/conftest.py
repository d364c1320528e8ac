"""A real database, staff and keys, and the two servers that Kinward talks to."""

import os
import time
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.db import connection
from pytest_django import DjangoDbBlocker

from kinward.access import refusals, uses
from kinward.access import services as access_services
from kinward.access.actor import Actor
from kinward.access.models import Staff
from kinward.evidence.keys import keys, keys_of
from kinward.experience.live import compiled, live
from kinward.experience.shadow import tally_shadow
from kinward.ground import config as config_module
from kinward.ground.config import Config, config, forget_config
from kinward.ground.watch import watch
from kinward.matching.index import bank_index, keyword_index, link_index
from kinward.matching.models import Bank
from kinward.matching.services import add_hashes, create_bank, file_hashes
from kinward.media import Hashed, digest_bytes, read_picture
from kinward.people.models import Account
from kinward.people.services import Profile, put_account
from kinward.policy.ages import AgeRange
from kinward.reporting.authorities.cybertipline.sandbox import Fault, Sandbox, serve
from kinward.reporting.authority import authority
from tests.support import emptied, strict_templates
from tests.support.helpers import KNOWN_PNG, Receiver, listening

strict_templates.install()

Configure = Callable[..., Config]


@pytest.fixture(scope="session", autouse=True)
def _database(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    if not any(item.get_closest_marker("django_db") for item in request.session.items):
        yield
        return
    request.getfixturevalue("django_db_setup")
    with django_db_blocker.unblock():
        emptied.install()
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # for speed
    settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
    connection.settings_dict["CONN_MAX_AGE"] = 0
    # From the first test on, so that no test depends on which others ran before it.
    with django_db_blocker.unblock():
        while not watch().trusted():
            time.sleep(0.01)
    yield
    watch().stop()


@pytest.fixture(autouse=True)
def _empty_queue(request: pytest.FixtureRequest) -> None:
    # Another connection may have left something there during a test that commits nothing.
    marker = request.node.get_closest_marker("django_db")
    if marker is not None:
        request.getfixturevalue("transactional_db" if marker.kwargs.get("transaction") else "db")
        emptied.empty_queue()


@pytest.fixture(autouse=True)
def _fresh_caches() -> None:
    # Between tests the tables are emptied in ways that no trigger hears.
    for kept in (
        bank_index,
        keyword_index,
        link_index,
        live,
        access_services.live_keys,
        compiled,
        tally_shadow,
        refusals.tally_refusals,
        uses.tally_uses,
    ):
        kept.cache_clear()


@pytest.fixture
def configure() -> Iterator[Configure]:
    """Change settings for one test: Kinward's own, and those that a plug-in reads."""
    original, environment = config(), dict(os.environ)

    def change(**changes: Any) -> Config:
        plugins = {name: changes.pop(name) for name in set(changes) - set(Config.__struct_fields__)}
        os.environ.update({f"KINWARD_{name}".upper(): str(plugins[name]) for name in plugins})
        changed = msgspec.structs.replace(config(), **changes)
        _use(changed)
        return changed

    yield change
    os.environ.clear()
    os.environ.update(environment)
    _use(original)


def _use(chosen: Config) -> None:
    forget_config()
    for kept in (authority, keys, keys_of):
        kept.cache_clear()
    real = config_module.read_config
    config_module.read_config = lambda environ: chosen
    try:
        config()
    finally:
        config_module.read_config = real


@pytest.fixture
def bank(db: None) -> Bank:
    """A verified bank with one generated picture, number 901."""
    bank = create_bank(name="known", confidence="verified", actor=Actor.system("test"))
    hashes = file_hashes(digest_bytes(KNOWN_PNG), _known_picture(), "generated 901")
    add_hashes(bank=bank, hashes=hashes, provenance="a test", actor=Actor.system("test"))
    return bank


@cache
def _known_picture() -> Hashed:
    """Hash the picture once for all tests. Hundreds of them have it in a bank."""
    return read_picture(KNOWN_PNG, 10**8)


@pytest.fixture
def account(db: None) -> Account:
    profile = Profile(age=AgeRange(15, 16), screen_name="driftwood")
    return put_account(platform_id="member-1", profile=profile)[0]


@pytest.fixture
def reviewer(db: None) -> Staff:
    return Staff.objects.create_user(username="robin", password="a long test word", role="reviewer")


@pytest.fixture
def second_reviewer(db: None) -> Staff:
    return Staff.objects.create_user(username="noor", password="a long test word", role="reviewer")


@pytest.fixture
def operator(db: None) -> Staff:
    return Staff.objects.create_user(username="ola", password="a long test word", role="operator")


@pytest.fixture
def receiver(configure: Configure) -> Iterator[Receiver]:
    """A platform's webhook address, and what arrived there."""
    received = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.messages.append((dict(self.headers.items()), body))
            status, answer = received.answers.pop(0) if received.answers else (200, b"{}")
            self.send_response(status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: Any) -> None: ...

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        configure(webhook_url=f"http://127.0.0.1:{server.server_port}/hooks")
        yield received


@pytest.fixture
def sandbox(tmp_path: Path, configure: Configure) -> Iterator[Sandbox]:
    """A CyberTipline sandbox, and Kinward configured to file with it."""
    made = serve(
        host="127.0.0.1",
        port=0,
        store=tmp_path / "sandbox.sqlite3",
        username="esp",
        password="word",
        faults=list[Fault](),
    )
    with listening(made) as server:
        configure(
            cybertipline_url=f"http://127.0.0.1:{server.server_port}/ispws",
            cybertipline_username="esp",
            cybertipline_password="word",
        )
        yield server
