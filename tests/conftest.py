"""A PostgreSQL for those tests that ask for a database, and for no others."""

import pytest
from django.conf import settings
from django.db import connection

from kinward.ground.config import config
from tests.ground import start_database


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Called by pytest-django before it makes the tests' database."""
    start_database()
    config.cache_clear()
    from kinward.project.settings import database_settings

    chosen = database_settings(config().database_url)
    for known in (settings.DATABASES["default"], connection.settings_dict):
        known.update({name: chosen[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})
