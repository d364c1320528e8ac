"""Notices: what a guardian or a teen is told, on the family pages and through the platform."""

from datetime import UTC, datetime
from typing import Final

from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop, override

from kinward.families.models import Notice
from kinward.ground.events import Event
from kinward.people.api import Account
from kinward.policy import known_language

NOTICE_MADE: Final = Event("families.notice_made")

# The sentence of each topic. The names in braces are keys of the notice's `fill`.
TOPICS: Final = {
    "paired": gettext_noop("You and {other} are paired now."),
    "ending": gettext_noop("{other} has ended your pairing. It goes on until {when}."),
    "ended": gettext_noop("Your pairing with {other} has ended."),
    "paused": gettext_noop("Your pairing with {other} is paused while a person looks at it."),
    "restored": gettext_noop("Your pairing with {other} goes on as before."),
    "setting": gettext_noop("{other} changed a setting. {what}"),
    "differ": gettext_noop(
        "The guardians of {other} chose differently. The more protective choice holds. {what}"
    ),
    "keyword": gettext_noop("{other} changed the words that are left out of your feed and search."),
    "asked": gettext_noop("{other} asks: {what}"),
    "proposed": gettext_noop("{other} proposes: {what}"),
    "yes": gettext_noop("{other} said yes: {what}"),
    "no": gettext_noop("{other} said no: {what}"),
    "talk": gettext_noop("{other} would like to talk about it: {what}"),
    "named": gettext_noop("{other} named you as an adult to trust."),
    "called": gettext_noop("{other} asks you to get in touch. Please do, gently and soon."),
    "passcode": gettext_noop("A pass-code gave {minutes} more minutes today."),
    "digest": gettext_noop("Your week with {other}: {minutes} minutes in all."),
    "report.taken": gettext_noop("Thank you. We have your report and a person will look at it."),
    "report.acted": gettext_noop("We looked at what you reported, and acted."),
    "report.closed": gettext_noop("We looked at what you reported, and found nothing to act on."),
}


def tell(account: Account, topic: str, **fill: str | int) -> Notice:
    """Create a notice and announce it, in the caller's transaction."""
    notice = Notice.objects.create(account=account, topic=topic, fill=fill)
    NOTICE_MADE.announce(notice_id=notice.pk)
    return notice


def notice_sentence(notice: Notice) -> str:
    """Return a notice's sentence in the language of its account. Times are in UTC."""
    with override(known_language(notice.account.language)):
        fill = dict(notice.fill)
        if "when" in fill:
            when = datetime.fromisoformat(fill["when"]).astimezone(UTC)
            fill["when"] = f"{date_format(when, 'DATETIME_FORMAT', use_l10n=True)} UTC"
        return gettext(TOPICS[notice.topic]).format(**fill)


def name_in_notices(account: Account) -> str:
    """Return the name of an account for its family: the screen name, else the platform's id."""
    return account.screen_name or account.platform_id
