"""The age of an account: what a profile leaves of it, and the entry of each change.

A weaker word never makes a person older than a stronger one said. It may make them younger. After
that, what the stronger word said still has to be outweighed, so that two weak words do no more than
one. An account's `strength` remembers it.
"""

from typing import Final

import msgspec

from kinward.access import Actor
from kinward.ground.events import Event
from kinward.ground.watch import watch
from kinward.ledger.api import Entry, first_written, kinds, record
from kinward.people.days import local_day
from kinward.people.locks import LockedAccount
from kinward.people.waves import count_change
from kinward.policy import (
    PROVEN_HERE,
    UNKNOWN,
    AgeRange,
    Assurance,
    crossed,
    is_unknown,
    only_lowers,
    outweighs,
    settled,
    stronger,
)

# An account has another standing, age or place, so what it may do, also for others, may be another.
TRUST_CHANGED: Final = Event("people.trust_changed")

AGE_FIELDS: Final = ("lower", "upper", "source", "assurance", "changes_on", "leap_day", "strength")


class Outcome(msgspec.Struct, frozen=True):
    """The age that stands from now on, and how strong a word has to be to make them older.

    `refused` is the weaker age that was sent in vain.
    """

    age: AgeRange
    strength: Assurance
    refused: AgeRange | None = None


def outcome_of(account: LockedAccount, sent: AgeRange | None, *, forgets: bool) -> Outcome:
    """Return what a profile leaves of an account's age. `sent` is None if it names none.

    `forgets` says that the platform gives up what is known, by an unknown age of its own.
    """
    stored, strength = account.age, account.strength
    known = stored.on(local_day(account.time_zone))
    proven = known.source in PROVEN_HERE
    if sent is None:
        return Outcome(stored if proven else UNKNOWN, strength)
    if forgets:
        return Outcome(sent, "none")
    if proven:
        return _beside_proof(sent, stored, strength)
    if is_unknown(sent.lower, sent.upper):
        return Outcome(sent, strength)
    if outweighs(sent.assurance, strength):
        return Outcome(sent, sent.assurance)
    if only_lowers(sent, known):
        return Outcome(sent, strength)
    return Outcome(stored, strength, sent)


def _beside_proof(sent: AgeRange, proof: AgeRange, strength: Assurance) -> Outcome:
    """Return what the platform's word leaves of a proof of age that Kinward verified."""
    if sent.upper <= proof.lower:
        return Outcome(sent, stronger(strength, sent.assurance))
    age = settled(sent, proof)[0]
    return Outcome(age, stronger(strength, age.assurance), None if age == sent else sent)


def put_age(account: LockedAccount, outcome: Outcome) -> list[str]:
    """Give an account the fields of an outcome, without saving them; returns their names."""
    age = outcome.age
    account.age_lower, account.age_upper = age.lower, age.upper
    account.age_source, account.age_assurance = age.source, age.assurance
    account.age_changes_on, account.age_leap_day = age.changes_on, age.leap_day
    account.age_strength = outcome.strength
    return [f"age_{field}" for field in AGE_FIELDS]


def set_age(*, account: LockedAccount, age: AgeRange, actor: Actor) -> None:
    """Write an age range that is settled, in the caller's transaction, with its entry."""
    was = account.age
    outcome = Outcome(age, stronger(account.strength, age.assurance))
    account.save(update_fields=[*put_age(account, outcome), "changed_at"])
    watch().changed("account", account.platform_id)
    record_change(account=account, was=was, actor=actor)


def note_told_ahead(account: LockedAccount) -> None:
    """Note that an account was told of its next birthday, in the caller's transaction."""
    account.growth_told_for = account.age_changes_on
    account.save(update_fields=["growth_told_for"])


def record_change(*, account: LockedAccount, was: AgeRange, actor: Actor) -> None:
    """Record a change of age across a border of the rules. A birthday that was known is none."""
    today = local_day(account.time_zone)
    before, now = was.on(today), account.age.on(today)
    ages = crossed(before, now)
    if not ages and before.assurance == now.assurance:
        return
    fact = kinds.AccountAgeChanged(
        was=[before.lower, before.upper],
        age=[now.lower, now.upper],
        source_was=before.source,
        source=now.source,
        assurance_was=before.assurance,
        assurance=now.assurance,
        borders=ages,
    )
    record(actor=actor, subject=f"account:{account.platform_id}", fact=fact)
    TRUST_CHANGED.announce(account_id=account.pk)
    if now.source not in PROVEN_HERE:  # nobody can forge such a change by a key
        count_change(account, actor)


def record_refused(*, account: LockedAccount, sent: AgeRange, actor: Actor) -> None:
    """Record that a weaker age was sent in vain, once for each that differs."""
    subject = f"account:{account.platform_id}"
    fact = kinds.AccountAgeKept(
        age=[account.age_lower, account.age_upper],
        source=account.age_source,
        assurance=account.age_assurance,
        sent=[sent.lower, sent.upper],
        sent_source=sent.source,
        sent_assurance=sent.assurance,
    )
    kept = first_written(Entry.objects.filter(subject=subject, kind=fact.kind).order_by("-seq"))
    if kept is None or (kept.data, kept.actor) != (fact.data, str(actor)):
        record(actor=actor, subject=subject, fact=fact)


def record_move(*, account: LockedAccount, was: str, actor: Actor) -> None:
    """Record that an account has another place, by whose law the rules decide."""
    if account.jurisdiction == was:
        return
    fact = kinds.AccountMoved(was=was, place=account.jurisdiction)
    record(actor=actor, subject=f"account:{account.platform_id}", fact=fact)
    TRUST_CHANGED.announce(account_id=account.pk)
    count_change(account, actor)
