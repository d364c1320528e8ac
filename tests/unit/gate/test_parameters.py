"""A parameter counts from the query or from the body, and of a repeated one the last value."""

from typing import Any

import pytest

from kinward.gate.http import Request
from kinward.ground.errors import Invalid


def request(query: bytes) -> Request:
    scope = {"method": "GET", "path": "/v1/x", "query_string": query, "headers": []}

    async def receive() -> Any:
        raise AssertionError("the query is not in the body")

    return Request(scope, receive)


def test_of_a_repeated_parameter_the_last_value_counts() -> None:
    assert request(b"a=1&a=2&b=3").query == {"a": "2", "b": "3"}
    assert request(b"a=%2561").query == {"a": "%61"}, "and it is decoded once"


def test_too_many_parameters_are_refused() -> None:
    with pytest.raises(Invalid, match="20"):
        _ = request(b"&".join(b"a=%d" % number for number in range(21))).query
