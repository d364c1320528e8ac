"""A secret is in no message, however it is written there, and a message stays readable."""

from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ground.secrets import LONG, MASK, SHORT, masked


@pytest.mark.parametrize(
    ("secrets", "text", "shown"),
    [
        (["a", "b"], "It sent a page that is bad.", "It sent a page that is bad."),
        (["list"], "The listing of the partner ended.", "The listing of the partner ended."),
        (["list"], "https://a.example/?key=list&x=1", "https://a.example/?key=…&x=1"),
        (["abc"], "https://a.example/?key=abc", "https://a.example/?key=…"),
        (["abc"], "?u=x%3Dabc%26y", "?u=x%3D…%26y"),
        (["pass", "passphrase-of-ours"], "not passphrase-of-ours", "not …"),
        (["hunter2!"], "key_hunter2!x", "key_…x"),
        (["p&w/d=1x"], 'p&amp;w/d=1x, p%26w%2fd%3d1x, "p&w/d=1x"', '…, …, "…"'),
        (['say "so" now'], '{"k": "say \\"so\\" now"}', '{"k": "…"}'),
    ],
)
def test_short_secrets_garble_no_words(secrets: list[str], text: str, shown: str) -> None:
    assert masked(text, secrets) == shown


@given(st.text(st.characters(codec="utf-8"), min_size=LONG, max_size=30))
def test_a_real_secret_is_never_told(secret: str) -> None:
    for form in (secret, quote(secret, safe=""), quote_plus(secret)):
        shown = masked(f"https://a.example/{form}x: not found, {form}", [secret])
        assert form not in shown.replace(MASK, "\0")


@given(st.text("abcdefgh0123456789", min_size=SHORT, max_size=LONG))
def test_a_short_one_is_not_told_as_a_value(secret: str) -> None:
    for text in ("?key={}&a=1", "user:{}@host", '"{}"', "the password {} is wrong", "%3D{}%26"):
        assert masked(text.format(secret), [secret]) == text.format(MASK)
