"""The durable jobs of families: expiry, the weekly digest, and forgetting."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from kinward.families import consent
from kinward.families.asks import expiry, mailing, taps
from kinward.families.models import Notice, WrongCode
from kinward.families.pairing import disputes, ending, gone, proving, weighing
from kinward.families.screen_time import activity, usage, zones
from kinward.families.visits import digest, sessions
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane
from kinward.people.api import CHANGE_CONSENT, CONSENT_CHANGED, TRUST_CHANGED


@CONSENT_CHANGED.job("families.tell_consent")
def tell_consent(account_id: int, withdrawn: int) -> None:
    """Tell a teen and the guardians that consent was withdrawn, or given again."""
    consent.tell_family(account_id, withdrawn=bool(withdrawn))


@CHANGE_CONSENT.job("families.tell_change")
def tell_change(account_id: int, state: str) -> None:
    """Tell a teen and the guardians what became of consent for a change of the app."""
    consent.tell_of_change(account_id, state=state)


@TRUST_CHANGED.job("families.weigh")
def weigh(account_id: int) -> None:
    """Settle anew what a guardian's changed account means for each family."""
    gone.leave_families(account_id)
    weighing.weigh_families_of(account_id)


@task("families.forget_minutes", every="23 3 * * *")
def forget_minutes(timestamp: int) -> None:
    """Delete what is shown no longer: minutes, zones, counts, visits, notices and reasons."""
    usage.forget_minutes(datetime.now(UTC))
    zones.forget_zones(datetime.now(UTC), 2 * usage.KEPT)
    activity.forget_activity()
    sessions.forget_visits()
    now = timezone.now()
    WrongCode.objects.filter(at__lt=now - timedelta(days=1)).delete()
    Notice.objects.filter(at__lt=now - 2 * usage.KEPT).delete()
    expiry.forget_reasons(now - 2 * usage.KEPT)


@task(ending.FINISH)
def finish_pairings(teen_id: int) -> None:
    """End a teen's pairings whose notice period is over."""
    ending.end_due_pairings(teen_id)


@task(disputes.COOLED)
def end_cooling(teen_id: int) -> None:
    """Let go what was held of a teen's guardians after a quiet dispute."""
    disputes.end_quiet_cooling(teen_id)


@task(proving.EXPIRE)
def expire_proofs(teen_id: int) -> None:
    """End the proofs of a teen's guardians whose time is over."""
    proving.expire_proofs(teen_id)


@task(expiry.TIDY)
def tidy_asks(teen_id: int) -> None:
    """Lapse a teen's expired asks and end their expired grants."""
    expiry.tidy_asks(teen_id)


@task("families.tidy_all", every="*/10 * * * *")
def tidy_all(timestamp: int) -> None:
    """Repeat the work of jobs that were due while the worker was down."""
    ending.end_due_pairings()
    disputes.end_quiet_cooling()
    for teen_id in expiry.teens_to_tidy():
        expiry.tidy_asks(teen_id)
    for account_id in weighing.accounts_gone():
        gone.leave_families(account_id)
    proving.expire_proofs()
    for _ in range(10):  # a new pack can concern very many
        teens = weighing.families_to_weigh()
        for teen_id in teens:
            weighing.weigh_family(teen_id)
        if len(teens) < weighing.MOST:
            break


@task("families.send_digests", every="0 16 * * 0")
def send_digests(timestamp: int) -> None:
    """Send the weekly digests, on Sundays."""
    digest.send_digests()


@task(digest.MAIL, lane=Lane.MAIL)
def mail_digest(pairing_id: str) -> None:
    """Mail one digest."""
    digest.mail_digest(pairing_id)


@task(mailing.MAIL_ASK, lane=Lane.MAIL)
def mail_ask(ask_id: str, pairing_id: str) -> None:
    """Mail one ask, with the links that answer it."""
    taps.mail_ask(ask_id, pairing_id)
