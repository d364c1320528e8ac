"""Every template shows the name of an account, a file or a person through the filter `shown`."""

import re
from pathlib import Path

import pytest

import kinward

SOURCE = Path(kinward.__file__).parent
TEMPLATES = sorted([*SOURCE.glob("web/templates/**/*.html"), *SOURCE.glob("portal/**/*.html")])
# The last part of what may have been written by a stranger, a partner, a platform or a colleague.
NAMES = (
    *("screen_name", "platform_id", "username", "filename", "content_id", "target", "detail"),
    *("label", "reference", "provenance", "added_by", "problem", "answer", "actor", "note"),
    *("hold_reference", "handed_to", "asked_for_by", "external_id", "excerpt"),
)
NAMED = re.compile(rf"(?:^|\.)(?:{'|'.join(NAMES)})$")
TAG = re.compile(r"\{[%{].*?[%}]\}", re.DOTALL)
# What Kinward itself or its operator wrote, or the reader typed and gets back in the same field.
OWN = {
    ("_verdict.html", "sent.note"),
    ("guidelines.html", "now.label"),
    ("_report_details.html", "label"),
    ("confirm.html", "problem"),
    ("new_edition.html", "newer.label"),
    ("places.html", "row.note"),
    ("policy.html", "newer.label"),
}


def named(path: Path) -> list[tuple[str, str]]:
    """Each expression of a template that is a name, and the attribute in which it stands."""
    text = path.read_text()
    found = []
    for tag in TAG.finditer(text):
        if not tag[0].startswith("{{"):
            found += [(with_, "") for with_ in re.findall(r"\bwho=(\S+)", tag[0])]
            continue
        expression = tag[0][2:-2].strip()
        before = TAG.sub("", text[: tag.start()])
        attribute = re.search(r'<[^>]*\b([\w-]+)="[^"]*$', before)
        found.append((expression, attribute[1] if attribute else ""))
    own = {expression for name, expression in OWN if name == path.name}
    return [
        (expression, attribute)
        for expression, attribute in found
        if NAMED.search(expression.partition("|")[0]) and expression not in own
    ]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_names_are_shown_so_that_they_turn_nothing_around(path: Path) -> None:
    for expression, attribute in named(path):
        filters = expression.split("|")[1:]
        if attribute in ("value", "href"):
            continue  # sent back as it is, and seen by nobody
        kinds = {each.partition(":")[0] for each in filters}
        assert kinds & ({"shown_plain"} if attribute else {"shown", "shown_plain"}), expression


def test_the_test_finds_the_names() -> None:
    found = {expression for path in TEMPLATES for expression, _ in named(path)}
    assert "case.account.platform_id|shown" in found
    assert "teen.screen_name|shown" in found
    assert len(found) > 50
