"""The filter by which every page shows a name or a text of a stranger. Known to all templates."""

import unicodedata
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from kinward.ground.names import isolated, marked, turns

register = template.Library()

LINES: Final = "lines"


@register.filter
def shown(text: object, how: str = "") -> SafeString:
    """Show a stranger's name. `"lines"`: a text of several lines. Not for attributes."""
    value = str(text)
    inside = format_html_join("", "{}", ((_letter(*pair),) for pair in _runs(value, how)))
    return format_html("<bdi>{}</bdi>", inside) if turns(inside) else inside


@register.filter
def shown_plain(text: object) -> str:
    """Show a stranger's name where there is no markup: an attribute, an option, a title."""
    return isolated(str(text))


def _runs(value: str, how: str) -> list[tuple[str, str]]:
    runs: list[tuple[str, str]] = []
    for letter, mark in marked(value, lines=how == LINES):
        if runs and not mark and not runs[-1][1]:
            runs[-1] = (runs[-1][0] + letter, "")
        else:
            runs.append((letter, mark))
    return runs


def _letter(letter: str, mark: str) -> str:
    if not mark:
        return letter
    name = unicodedata.name(letter, "control character").lower()
    return format_html('<span class="unseen" title="{}">{}</span>', name, mark)
