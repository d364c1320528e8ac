"""Words to leave out of a teen's feed and search, named by a guardian or by the teen."""

import re
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from kinward.families.models import Held, Keyword, Pairing
from kinward.families.notices import name_in_notices, tell
from kinward.families.pairing.homes import pairings_seen_by
from kinward.families.pairing.power import in_power, is_held, require_power
from kinward.families.pairing.proof import refuse_unproven
from kinward.families.settings.held import sees_held
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
    known = _known(teen, word, pairing)
    shown = keywords_of(teen, guardian or teen)
    if known is not None and known in shown:
        wanted = pairing is None or in_power(pairing)
        if wanted and known.pairing is not None and not in_power(known.pairing):
            known.pairing, known.held = pairing, Held.NOTHING  # in force by whoever has the power
            known.save(update_fields=["pairing", "held"])
        return
    if len(shown) >= MAX_WORDS:
        raise Invalid(f"There are {MAX_WORDS} words already. Remove one first.")
    if known is not None and known.pairing is not None and not in_power(known.pairing):
        # Who left it out has no power, so it has no effect. It makes room for this one.
        known.ended_at = timezone.now()
        known.save(update_fields=["ended_at"])
        known = None
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

    Raises `GuardianUnproven` for somebody else's word, if the guardian is not proven. Locks the
    teen's account. A word that is not there changes nothing.
    """
    pairing, teen = _editor(guardian=guardian, teen_id=teen_id, account=account)
    shown = (word for word in keywords_of(teen, guardian or teen) if word.pk == keyword_id)
    keyword = next(shown, None)
    if keyword is None or (pairing is None and keyword.pairing is not None):
        return
    if pairing is not None and keyword.pairing_id != pairing.pk:
        refuse_unproven(pairing, None)
    if pairing is not None and is_held(pairing) and keyword.held != Held.ADDED:
        _write(keyword, Held.REMOVED)
    else:
        keyword.ended_at = timezone.now()
        keyword.save(update_fields=["ended_at"])
    _record_keyword(teen, pairing, kinds.KeywordRemoved())


def _known(teen: Account, word: str, pairing: Pairing | None) -> Keyword | None:
    """Return the row of a word, of those whose pairings the editor sees."""
    words = Keyword.objects.select_related("pairing__guardian", "pairing__teen")
    words = words.filter(teen=teen, word=word, ended_at=None)
    return _seen(words, teen, teen if pairing is None else pairing.guardian).first()


def _seen(words: QuerySet[Keyword], teen: Account, reader: Account) -> QuerySet[Keyword]:
    """Return the words of the teen, and of the guardians of whom a reader sees anything."""
    only = pairings_seen_by(teen, reader)
    return words if only is None else words.filter(Q(pairing=None) | Q(pairing__in=only))


def keywords_of(account: Account, reader: Account | None = None) -> list[Keyword]:
    """Return the words to leave out of an account's feed and search; for a reader, as shown.

    Words of somebody who lost power stop at once.
    """
    held = reader is not None and sees_held(account, reader)
    words = Keyword.objects.select_related("pairing__guardian", "pairing__teen")
    words = words.filter(teen=account, ended_at=None)
    if reader is not None:
        words = _seen(words, account, reader)
    return [
        word
        for word in words.exclude(held=Held.REMOVED if held else Held.ADDED)
        if word.pairing is None or in_power(word.pairing, held=held)
    ]


def _editor(
    *, guardian: Account | None, teen_id: str, account: Account
) -> tuple[Pairing | None, LockedAccount]:
    """Return who edits a teen's words, a guardian's pairing or None for the teen; and the teen."""
    if guardian is None:
        return None, lock_account(account.pk)
    return require_power(guardian=guardian, teen_id=teen_id)


def _write(keyword: Keyword, held: Held) -> None:
    keyword.held = held
    keyword.save(update_fields=["held"])


def _record_keyword(teen: Account, pairing: Pairing | None, fact: kinds.Fact) -> None:
    who = teen if pairing is None else pairing.guardian
    actor = who.actor
    record(actor=actor, subject=f"account:{teen.platform_id}", fact=fact)
    if pairing is not None:
        tell(teen, "keyword", other=name_in_notices(who))
