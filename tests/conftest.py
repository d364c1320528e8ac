"""What all tests share: a PostgreSQL for those that ask for one, and Hypothesis without a clock."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from kinward.ground.config import config
from tests.ground import start_database
from tests.support.places import migrated_cluster, reachable

# No test asserts a time. The first text on a fresh machine waits for Hypothesis' table of letters.
hypothesis_settings.register_profile(
    "kinward", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("kinward")


@pytest.fixture(autouse=True)
def _as_scheduled() -> Iterator[None]:
    """Leave no test in real time: SVT-AV1, run by root, takes the process and its children."""
    yield
    if sys.platform == "linux" and os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a migrated PostgreSQL. A server begins with a copy of them."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    reachable(shared)
    return migrated_cluster(shared)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, request: pytest.FixtureRequest
) -> None:
    """Called by pytest-django before it makes the tests' database."""
    if "KINWARD_TEST_DATABASE_URL" not in os.environ:
        start_database(request.getfixturevalue("cluster"))
        connection.settings_dict["TEST"]["TEMPLATE"] = "kinward"
    config.cache_clear()
    from kinward.project.settings import database_settings

    chosen = database_settings(config().database_url)
    for known in (settings.DATABASES["default"], connection.settings_dict):
        known.update({name: chosen[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
