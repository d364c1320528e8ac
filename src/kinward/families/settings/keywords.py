"""Words to leave out of a teen's feed and search, named by a guardian or by the teen."""

import re
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from kinward.families.models import Held, Keyword, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.power import require_power
from kinward.families.settings.held import is_held, sees_held
from kinward.ground.errors import Invalid
from kinward.ledger.api import kinds, record
from kinward.people.api import Account, LockedAccount, lock_account

MAX_WORDS: Final = 50
MAX_WORD: Final = 40


def tidy_word(word: str) -> str:
    """Return a word in the form in which words are compared: case-folded, with single spaces."""
    return re.sub(r"\s+", " ", word).strip().casefold()


@transaction.atomic
def add_keyword(*, teen_id: str, word: str, guardian: Account | None, account: Account) -> None:
    """Add a word to leave out of a teen's feed and search, as a guardian or as the teen (None).

    Locks the teen's account. A word that is there already changes nothing.
    """
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    word = tidy_word(word)
    if not word or len(word) > MAX_WORD or not word.isprintable():
        raise Invalid(f"A word has 1 to {MAX_WORD} characters.")
    known = Keyword.objects.filter(teen=teen, word=word, ended_at=None).first()
    shown = _shown(teen, guardian or teen)
    if known is not None and known in shown:
        if known.held == Held.ADDED and not (pairing is not None and is_held(pairing)):
            _write(known, Held.NOTHING)
        return
    if shown.count() >= MAX_WORDS:
        raise Invalid(f"There are {MAX_WORDS} words already. Remove one first.")
    if known is None:
        held = Held.ADDED if pairing is not None and is_held(pairing) else Held.NOTHING
        Keyword.objects.create(teen=teen, pairing=pairing, word=word, held=held)
    else:
        _write(known, Held.NOTHING)  # it was in force all the time
    _record_keyword(teen, pairing, kinds.KeywordAdded())


@transaction.atomic
def remove_keyword(
    *, teen_id: str, keyword_id: int, guardian: Account | None, account: Account
) -> None:
    """Remove a word. A guardian may remove anybody's, the teen only their own.

    Locks the teen's account. A word that is not there changes nothing.
    """
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    shown = _shown(teen, guardian or teen).filter(pk=keyword_id)
    if pairing is None:
        shown = shown.filter(pairing=None)
    keyword = shown.first()
    if keyword is None:
        return
    if pairing is not None and is_held(pairing) and keyword.held != Held.ADDED:
        _write(keyword, Held.REMOVED)
    else:
        keyword.ended_at = timezone.now()
        keyword.save(update_fields=["ended_at"])
    _record_keyword(teen, pairing, kinds.KeywordRemoved())


def keywords_of(account: Account, reader: Account | None = None) -> list[Keyword]:
    """Return the words to leave out of an account's feed and search; for a reader, as shown."""
    words = Keyword.objects.filter(teen=account, ended_at=None).exclude(held=Held.ADDED)
    if reader is not None:
        words = _shown(account, reader)
    return list(words.select_related("pairing__guardian"))


def _editor(
    *, guardian: Account | None, teen_id: str, account: Account
) -> tuple[Pairing | None, LockedAccount]:
    """Return who edits a teen's words, a guardian's pairing or None for the teen; and the teen."""
    if guardian is None:
        return None, lock_account(account.pk)
    return require_power(guardian=guardian, teen_id=teen_id)


def _shown(teen: Account, reader: Account) -> QuerySet[Keyword]:
    not_shown = Held.REMOVED if sees_held(teen, reader) else Held.ADDED
    return Keyword.objects.filter(teen=teen, ended_at=None).exclude(held=not_shown)


def _write(keyword: Keyword, held: Held) -> None:
    keyword.held = held
    keyword.save(update_fields=["held"])


def _record_keyword(teen: Account, pairing: Pairing | None, fact: kinds.Fact) -> None:
    who = teen if pairing is None else pairing.guardian
    actor = who.actor
    record(actor=actor, subject=f"account:{teen.platform_id}", fact=fact)
    if pairing is not None:
        tell(teen, "keyword", other=name_in_notices(who))
