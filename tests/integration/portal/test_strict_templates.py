"""An undefined name in a template of ours raises; templates of others keep Django's silence."""

import pytest
from django.template import Context, Engine, Origin, Template

from tests.support.strict_templates import SOURCE, UndefinedName

OURS = Origin(name=str(SOURCE / "web" / "templates" / "web" / "case.html"))
THEIRS = Origin(name="/usr/lib/python3/allauth/templates/account/login.html")
TEXTS = (
    "{{ files }}",
    "{{ case.files }}",
    "{{ files|default:'none' }}",
    "{% if files %}some{% endif %}",
    "{% if not files %}none{% endif %}",
    "{% if files == 1 %}one{% endif %}",
    "{% for file in files %}one{% endfor %}",
    "{% with count=case.files %}{% endwith %}",
    "{% load i18n %}{% blocktranslate %}{{ files }} files{% endblocktranslate %}",
)


def rendered(text: str, origin: Origin) -> str:
    engine = Engine.get_default()
    return str(Template(text, origin=origin, engine=engine).render(Context({"case": object()})))


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_that_a_view_does_not_give_raises(text: str) -> None:
    with pytest.raises(UndefinedName, match=r"case\.html: .*files"):
        rendered(text, OURS)
    assert "raise" not in rendered(text, THEIRS)


def test_names_that_are_there_are_printed() -> None:
    text = "{% for key in keys %}{{ key }}{{ forloop.counter }} {% endfor %}"
    template = Template(text, origin=OURS, engine=Engine.get_default())
    assert template.render(Context({"keys": ["s", "c"]})) == "s1 c2 "
