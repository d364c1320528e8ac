"""Notices: what a guardian or a teen is told, on the family pages and through the platform."""

from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_noop, override

from kinward.access import Actor
from kinward.families.models import Ask, Notice
from kinward.ground.events import Event
from kinward.ground.names import isolated
from kinward.ledger.api import digest_of, kinds, record
from kinward.people.api import Account
from kinward.policy import known_language

ACTOR: Final = Actor.system("families")
NOTICE_MADE: Final = Event("families.notice_made")

# The sentence of each topic. The names in braces are keys of the notice's `fill`.
TOPICS: Final = {
    "paired": gettext_noop("You and {other} are now paired."),
    "ending": gettext_noop("{other} has ended your pairing. It stays in place until {when}."),
    "ended": gettext_noop("Your pairing with {other} has ended."),
    "gone": gettext_noop(
        "{other} no longer has an account here, so your pairing has ended. "
        "What a guardian had set in it no longer applies."
    ),
    "gone.theirs": gettext_noop(
        "A guardian of {other} no longer has an account here. What they had set no longer applies."
    ),
    "paused": gettext_noop("Your pairing with {other} is paused while a person reviews it."),
    "restored": gettext_noop("Your pairing with {other} continues as before."),
    "proven": gettext_noop(
        "The app now knows that you are {other}'s guardian. You can allow more, within the rules."
    ),
    "proven.theirs": gettext_noop(
        "The app now knows that {other} is your guardian, so they can allow more for you."
    ),
    "unproven": gettext_noop(
        "The app no longer knows that you are {other}'s guardian. What you allowed no longer "
        "applies, and your limits stay. You can show it again in the app."
    ),
    "unproven.theirs": gettext_noop(
        "The app no longer knows that {other} is your guardian. What they allowed no longer "
        "applies, and their limits stay."
    ),
    "setting": gettext_noop("{other} changed a setting. {what}"),
    "differ": gettext_noop(
        "{other}'s guardians chose differently. The more protective choice applies. {what}"
    ),
    "keyword": gettext_noop("{other} changed the words filtered from your feed and search."),
    "asked": gettext_noop("{other} asks for: {what}"),
    "proposed": gettext_noop("{other} suggests: {what}"),
    "yes": gettext_noop("{other} said yes: {what}"),
    "yes.waits": gettext_noop("{other} said yes, and it waits for another guardian's yes: {what}"),
    "yes.heard": gettext_noop(
        "Another guardian of {other} said yes: {what}. What applies now: {holds}."
    ),
    "yes.needed": gettext_noop(
        "Another guardian of {other} said yes: {what}. It needs your yes as well. "
        "Until then this applies: {holds}."
    ),
    "yes.pending": gettext_noop(
        "Another guardian of {other} said yes, and it waits for one more yes: {what}. "
        "Until then this applies: {holds}."
    ),
    "yes.ended": gettext_noop(
        "Another guardian of {other} ended this: {what}. What applies now: {holds}."
    ),
    "no": gettext_noop("{other} said no: {what}"),
    "talk": gettext_noop("{other} would like to talk about it: {what}"),
    "named": gettext_noop("{other} named you as a trusted adult."),
    "called": gettext_noop("{other} is asking you to get in touch. Please do so soon and gently."),
    "zone": gettext_noop(
        "Your time zone is now {zone}. For a day, the minutes of the last 24 hours count, "
        "and the hours of both places apply."
    ),
    "zone.theirs": gettext_noop(
        "{other}'s time zone is now {zone}. For a day, the minutes of the last 24 hours count, "
        "and the hours of both places apply."
    ),
    "passcode": gettext_noop("A pass-code gave {other} {minutes} more minutes today."),
    "passcode.guessed": gettext_noop(
        "Too many wrong pass-codes were entered for {other}. Pass-codes are locked for an hour."
    ),
    "digest": gettext_noop("This week {other} spent {minutes} minutes in the app."),
    "growing.theirs": gettext_noop(
        "Within the next 30 days, {other} reaches an age at which other rules apply. "
        "The app has told them what will change. You can talk about it together."
    ),
    "consent.gone": gettext_noop(
        "The consent of your parent or guardian for this app was withdrawn. You can use the app "
        "again when they give it again. Your pages for family, help and reports stay open."
    ),
    "consent.back": gettext_noop("You can use the app again: your guardian's consent is back."),
    "consent.gone.theirs": gettext_noop(
        "The consent for {other} to use this app was withdrawn, so the account is closed for now."
    ),
    "consent.back.theirs": gettext_noop(
        "Consent for {other} was given again, so the account is open again. "
        "If this surprises you, please tell us."
    ),
    "change.asked": gettext_noop(
        "The app has changed, and your parent or guardian is asked to agree. "
        "What is new stays closed until they do."
    ),
    "change.refused": gettext_noop(
        "Your parent or guardian did not agree to a change of the app. What is new stays closed."
    ),
    "change.given": gettext_noop(
        "Your parent or guardian agreed to a change of the app. What is new is open now."
    ),
    "change.asked.theirs": gettext_noop(
        "The app has changed, and {other} needs a guardian's consent for what is new. "
        "The app store asks for it."
    ),
    "change.refused.theirs": gettext_noop(
        "A guardian did not agree to a change of the app, so what is new stays closed for {other}."
    ),
    "change.given.theirs": gettext_noop(
        "A guardian agreed to a change of the app for {other}. "
        "If this surprises you, please tell us."
    ),
    "report.taken": gettext_noop(
        "Thank you. We have received your report, and a person will review it."
    ),
    "report.acted": gettext_noop("We reviewed what you reported and took action."),
    "report.closed": gettext_noop("We reviewed what you reported and found no reason to act."),
}


# The same for one minute.
ONE: Final = {
    "zone": gettext_noop(
        "Your time zone is now {zone}. For a day, the minutes of the last 24 hours count, "
        "and the hours of both places apply."
    ),
    "zone.theirs": gettext_noop(
        "{other}'s time zone is now {zone}. For a day, the minutes of the last 24 hours count, "
        "and the hours of both places apply."
    ),
    "passcode": gettext_noop("A pass-code gave {other} {minutes} more minute today."),
    "digest": gettext_noop("This week {other} spent {minutes} minute in the app."),
}


def tell(account: Account, topic: str, *, ask: Ask | None = None, **fill: str | int) -> Notice:
    """Create a notice, record it and announce it, in the caller's transaction.

    A notice with an `ask` carries links with which its reader answers in one tap.
    """
    notice = Notice.objects.create(
        account=account, topic=topic, fill=fill, ask=ask, receipt=uuid4()
    )
    said = digest_of([notice_sentence(notice)])
    record(
        actor=ACTOR,
        subject=f"notice:{notice.receipt}",
        fact=kinds.NoticeMade(topic=topic, said=said),
    )
    NOTICE_MADE.announce(notice_id=notice.pk)
    return notice


def notice_sentence(notice: Notice) -> str:
    """Return a notice's sentence in the language of its account. Times are in UTC."""
    with override(known_language(notice.account.language)):
        fill = dict(notice.fill)
        if "when" in fill:
            when = datetime.fromisoformat(fill["when"]).astimezone(UTC)
            fill["when"] = f"{date_format(when, 'DATETIME_FORMAT', use_l10n=True)} UTC"
        if "other" in fill:
            fill["other"] = isolated(fill["other"])
        one = ONE.get(notice.topic) if fill.get("minutes") == 1 else None
        return gettext(one or TOPICS[notice.topic]).format(**fill)


def name_in_notices(account: Account) -> str:
    """Return the name of an account for its family: the screen name, else the platform's id.

    It is as the platform sent it. `isolated` and the filter `shown` make it safe among other words.
    """
    return account.screen_name or account.platform_id
