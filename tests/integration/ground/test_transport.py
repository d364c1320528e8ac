"""The database and mail are reached over TLS with a verified certificate, unless told otherwise."""

import os
import ssl
import subprocess
import sys

import pytest
from django.core.mail.backends.smtp import EmailBackend

from kinward.cli.backups.sealing import database
from kinward.project.settings import database_settings

ELSEWHERE = "postgresql://kinward:word@db.example:5432/kinward"


@pytest.mark.parametrize(
    ("url", "options"),
    [
        (ELSEWHERE, {"sslmode": "verify-full", "sslrootcert": "system"}),
        (f"{ELSEWHERE}?sslrootcert=/ca.pem", {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}),
        (f"{ELSEWHERE}?sslmode=require", {"sslmode": "require"}),
        ("postgresql://a.example,b.example/kinward", {"sslmode": "verify-full"}),
        ("postgresql://localhost,b.example/kinward", {"sslmode": "verify-full"}),
        ("postgresql:///kinward?host=db.example", {"sslmode": "verify-full"}),
        ("postgresql://localhost/kinward?hostaddr=192.0.2.1", {"sslmode": "verify-full"}),
        ("postgresql://localhost:5432/kinward", {}),
        ("postgresql://127.0.0.1/kinward", {}),
        ("postgresql:///kinward?host=/run/postgresql", {}),
        ("", {}),
    ],
)
def test_a_database_elsewhere_takes_a_verified_certificate(
    url: str, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = database_settings(url)["OPTIONS"]
    assert {name: told[name] for name in options} == options
    assert options or not {name for name in told if name.startswith("ssl")}
    monkeypatch.setenv("KINWARD_DATABASE_URL", url)
    for name in options:
        assert f"{name}=" in database(), "a backup takes the same way"


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("smtp://mail.example", "EMAIL_USE_TLS"),
        ("smtp://user:word@mail.example:587", "EMAIL_USE_TLS"),
        ("smtp://user:word@localhost:587", "EMAIL_USE_TLS"),
        ("smtps://mail.example", "EMAIL_USE_SSL"),
        ("smtp://localhost", ""),
        ("smtp+plain://relay.example", ""),
    ],
)
def test_mail_to_another_machine_takes_tls(url: str, way: str) -> None:
    code = "from kinward.project import settings as s; print(s.EMAIL_USE_TLS, s.EMAIL_USE_SSL)"
    environment = os.environ | {"KINWARD_MAIL_URL": url}
    told = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [str(way == "EMAIL_USE_TLS"), str(way == "EMAIL_USE_SSL")]


def test_mail_verifies_the_certificate() -> None:
    context = EmailBackend(host="mail.example", use_tls=True).ssl_context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
