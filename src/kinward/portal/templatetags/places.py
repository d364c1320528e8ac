"""Names of countries, and words about helplines, in the language of the page."""

from babel import Locale, UnknownLocaleError
from django import template
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kinward.portal.helplines import ANYWHERE, Way

register = template.Library()


@register.filter
def country(code: str) -> str:
    """Return the name of a country (ISO 3166 code), or the code if it has no name here."""
    if code == ANYWHERE:
        return _("Everywhere")
    try:
        names = Locale.parse(get_language() or "en", sep="-").territories
    except (UnknownLocaleError, ValueError):
        return code
    return str(names.get(code, code))


@register.filter
def way_in_words(way: Way) -> str:
    """Return the word for a way to reach a helpline without speaking."""
    words = {"chat": _("chat"), "text": _("text message"), "mail": _("email")}
    return words[way]
