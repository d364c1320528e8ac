"""No name turns the text around it, hides a part of itself, or passes for another name."""

import unicodedata
from html import unescape
from html.parser import HTMLParser

import pytest
from django.conf import settings
from django.utils.translation import get_language_info
from hypothesis import given
from hypothesis import strategies as st

from kinward.ground.names import MAX_STACK, isolated, visible
from kinward.ground.tags import shown, shown_plain

TURNING = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
UNSEEN = [
    *TURNING,
    *"\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad\u3164\u115f\u034f\u2800\u00a0\u2003",
    *"\x00\x07\x1b\x7f\x85\u2028\ue000\U000e0041\ufffe\ufe0f\u200c\u200d",
]


@pytest.mark.parametrize("letter", UNSEEN, ids=lambda letter: f"U+{ord(letter):04X}")
def test_what_cannot_be_seen_is_shown_as_a_mark(letter: str) -> None:
    mark = f"U+{ord(letter):04X}"
    assert visible(f"an{letter}n") == f"an[{mark}]n"
    assert f">{mark}</span>" in shown(f"an{letter}n")
    assert shown_plain(f"an{letter}n") == f"an[{mark}]n"


@pytest.mark.parametrize(
    "name",
    [
        "Robin",
        "O'Neill-Śmith 3rd",
        "José",
        "李小龍",
        "山田\u3000太郎",
        "Åsa\u0308",
        "👩\u200d👩\u200d👧",
        "🏳\ufe0f\u200d🌈",
        "👍🏽",
        "1\ufe0f\u20e3",
        "\u0645\u06cc\u200c\u062e\u0648",
        "क्\u200dष",
        "\u05d9\u05d5\u05e1\u05d9",
    ],
)
def test_a_name_that_people_have_stays_as_it_is(name: str) -> None:
    assert visible(name) == name


def test_spaces_that_a_browser_would_swallow_are_shown() -> None:
    assert visible(" ann  b ") == "[U+0020]ann [U+0020]b[U+0020]"
    assert visible("a  b\n c", lines=True) == "a  b\n c"
    assert visible("a\nb") == "a[U+000A]b"


def test_marks_neither_pile_up_nor_sit_on_the_text_before() -> None:
    assert visible("\u0338ok") == "[U+0338]ok"
    piled = visible("a" + "\u0301" * 20)
    assert piled.count("\u0301") == MAX_STACK
    assert piled.count("[U+0301]") == 20 - MAX_STACK


def test_what_runs_from_right_to_left_is_isolated() -> None:
    assert isolated("\u05e9\u05dc!") == "\u2068\u05e9\u05dc!\u2069"
    assert shown("\u05e9\u05dc!") == "<bdi>\u05e9\u05dc!</bdi>"
    assert shown("a\u2069\u202eb") == (
        'a<span class="unseen" title="pop directional isolate">U+2069</span>'
        '<span class="unseen" title="right-to-left override">U+202E</span>b'
    )


class Text(HTMLParser):
    """What a browser shows of a piece of a page, and the elements in it."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.said, self.tags = "", set[str]()
        self.feed(markup)
        self.close()

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)


@given(st.text(max_size=60))
def test_any_name_is_safe_to_show(name: str) -> None:
    for said in (visible(name), isolated(name)[1:-1], Text(shown(name)).said):
        assert not set(said) & set(TURNING)
        assert all(unicodedata.category(letter) != "Cc" for letter in said)
    assert Text(shown(name)).tags <= {"bdi", "span"}
    assert "<" not in unescape(name) or "<" in Text(shown(name)).said


@given(st.text(max_size=30), st.text(max_size=30))
def test_two_names_that_differ_are_shown_differently(one: str, other: str) -> None:
    assert (shown(one) == shown(other)) == (one == other)


def test_our_own_languages_run_from_left_to_right() -> None:
    # `isolated` leaves a name from left to right alone, which is sound only in such a language.
    assert not any(get_language_info(code)["bidi"] for code, _ in settings.LANGUAGES)
