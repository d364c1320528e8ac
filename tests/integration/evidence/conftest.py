"""A local server that speaks KMS and S3."""

from collections.abc import Iterator

import pytest
from moto.server import ThreadedMotoServer

from tests.integration.conftest import Configure


@pytest.fixture
def aws(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A local server that speaks KMS and S3; its address."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "neutral")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    _host, port = server.get_host_and_port()
    url = f"http://127.0.0.1:{port}"
    configure(aws_endpoint=url)
    yield url
    server.stop()
