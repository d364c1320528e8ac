"""What a form sends becomes a struct, or one sentence says what is wrong with it."""

from datetime import date
from uuid import UUID

import msgspec
import pytest
from django.http import QueryDict

from kinward.ground.errors import Invalid
from kinward.web import forms
from kinward.web.forms import fill

CASE = "018f3a5e-7c1d-7f00-8000-000000000001"


class Everything(msgspec.Struct):
    """A field of each type that a form may have."""

    case: UUID
    since: date
    why: str
    days: int | None
    ends: bool
    may: list[str]


def test_each_field_is_read_as_its_type() -> None:
    sent = f"case=+{CASE}+&since=2026-01-31&why=+a+word+&days=14&ends=yes&may=self&may=guardian"
    assert fill(Everything, QueryDict(sent)) == Everything(
        UUID(CASE), date(2026, 1, 31), " a word ", 14, True, ["self", "guardian"]
    )


def test_what_was_not_sent_is_empty() -> None:
    sent = QueryDict(f"case={CASE}&since=2026-01-31&days=")
    assert fill(Everything, sent) == Everything(UUID(CASE), date(2026, 1, 31), "", None, False, [])


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (f"case={CASE[:8]}&since=2026-01-31", "Enter the full ID of the case"),
        (f"case={CASE}&since=31.1.2026", "Write a day like this: 2026-01-31"),
        (f"case={CASE}&since=2026-01-31&days=-1", "'-1' is not a whole number"),
        (f"case={CASE}&since=2026-01-31&days=soon", "'soon' is not a whole number"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(sent: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        fill(Everything, QueryDict(sent))


def test_every_form_of_the_console_can_be_read() -> None:
    structs = [
        value
        for value in vars(forms).values()
        if isinstance(value, type) and value.__module__ == forms.__name__
    ]
    assert len(structs) > 5
    for struct in structs:
        sent = QueryDict(f"case={CASE}")
        assert isinstance(fill(struct, sent), struct)
