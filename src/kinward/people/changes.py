"""A guardian's consent for a significant change of the app: asked, given or refused.

Until it is given, what the change brings stays closed. One concept for all app stores: Google Play
answers about all of an app's changes at once, Apple's PermissionKit answers one question of the
app. Neither signs its answer, so both are the platform's word.
"""

from datetime import date, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from kinward.access import Actor
from kinward.ledger.api import Entry, kinds, record, written_here
from kinward.people.consent import ConsentUnanswered, latest_word, settle, write_word
from kinward.people.locks import LockedAccount
from kinward.people.models import Consent, ConsentSource, Matter
from kinward.policy import ChangeState, ConsentWord

# An approved change may begin later. A day that is further ahead than this is no approval's.
FURTHEST: Final = timedelta(days=90)


@transaction.atomic
def note_change(
    *,
    account: LockedAccount,
    source: ConsentSource,
    question: str,
    state: ChangeState,
    actor: Actor,
) -> bool:
    """Apply the word of a source on a question about a change. Returns whether that was news.

    A question is asked once, so that a copy of it never takes the place of a newer one. An answer
    to one that was refused, or that a newer one replaced, opens nothing: it raises
    `ConsentUnanswered`. A refusal counts always.
    """
    row = latest_word(account, source, Matter.CHANGE)
    same = row is not None and row.question == question
    if row is not None and same and (state in ("asked", row.change)):
        return False
    if state == "asked" and _was_named(account, source, question):
        return False
    if state == "given" and row is not None and row.withdrawn and not (same and row.asked):
        raise ConsentUnanswered
    _apply(account, source, state, question, actor)
    return True


def _was_named(account: LockedAccount, source: ConsentSource, question: str) -> bool:
    """Whether a source has spoken of a question before, by the account's ledger entries."""
    said = Entry.objects.filter(
        subject=f"account:{account.platform_id}",
        kind=kinds.ConsentChange.kind,
        at__gte=account.created_at,  # an earlier account may have had this id
        data__source=str(source),
        data__question=question,
    )
    return bool(written_here(said))


@transaction.atomic
def hear_google(*, account: LockedAccount, word: ConsentWord, actor: Actor) -> None:
    """Apply what an answer of Play Age Signals says about consent for the app's changes.

    A change that waits, or that was refused, closes what it brings. An approval opens it only if it
    is newer than every approval that Google had named before, so that an answer from before
    opens nothing. For the same reason, an answer that waits for an approval is late, and says
    nothing, if it names an older one than Google did before, or none. One that names a day which
    can be no approval's is not late.
    """
    google, now = ConsentSource.GOOGLE, timezone.now()
    approved_on = word.approved_on
    far = approved_on is not None and approved_on > now.date() + FURTHEST
    if far:
        approved_on = None
    row = latest_word(account, google, Matter.CHANGE)
    seen = None if row is None else row.approved_on
    late = seen is not None and (approved_on is None or approved_on < seen)
    late = late and not (far or word.odd_day)
    if row is None:
        applies = True
    elif word.state == "given":
        applies = row.withdrawn and _is_newer(approved_on, row)
    elif word.state == "asked":
        applies = not row.withdrawn and not late
    else:
        applies = row.change != "refused"
    if applies:
        _apply(account, google, word.state, "", actor)
    newest = max(filter(None, (seen, approved_on)), default=None)
    if newest != seen:
        rows = Consent.objects.filter(account=account, source=google, matter=Matter.CHANGE)
        rows.update(approved_on=newest)


def _is_newer(approved_on: date | None, row: Consent) -> bool:
    """Whether an approval came after a question or a refusal, by the days that Google names."""
    if approved_on is None:
        return False
    if row.approved_on is not None:
        return approved_on > row.approved_on
    # Google names the day from which a change counts, and it may be earlier than the question.
    # When Google asked, it had named no approval at all.
    return row.asked or approved_on >= row.since.date()


def _apply(
    account: LockedAccount, source: ConsentSource, state: ChangeState, question: str, actor: Actor
) -> None:
    write_word(
        account,
        source,
        Matter.CHANGE,
        withdrawn=state != "given",
        asked=state == "asked",
        question=question,
    )
    record(
        actor=actor,
        subject=f"account:{account.platform_id}",
        fact=kinds.ConsentChange(source=str(source), state=state, question=question),
    )
    settle(account)
