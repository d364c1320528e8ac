"""The durable jobs of families: what ends by itself, the weekly digest, and forgetting."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from kinward.families.asks import asks
from kinward.families.models import Notice, WrongCode
from kinward.families.pairing import ending
from kinward.families.screen_time.usage import KEPT, forget
from kinward.families.visits import digest
from kinward.families.visits.activity import forget_activity
from kinward.families.visits.sessions import forget_visits
from kinward.ground.jobs import task


@task("families.forget_minutes", every="23 3 * * *")
def forget_minutes(timestamp: int) -> None:
    """Forget what is older than anybody is shown."""
    forget(datetime.now(UTC))
    forget_activity()
    forget_visits()
    now = timezone.now()
    WrongCode.objects.filter(at__lt=now - timedelta(days=1)).delete()
    Notice.objects.filter(at__lt=now - 2 * KEPT).delete()
    asks.forget_reasons(now - 2 * KEPT)


@task(ending.FINISH)
def finish_pairings(teen_id: int) -> None:
    """End a teen's pairings whose notice is over."""
    ending.end_due_pairings(teen_id)


@task(asks.TIDY)
def tidy_asks(teen_id: int) -> None:
    """Let a teen's asks lapse and grants end, whose time has come."""
    asks.tidy(teen_id)


@task("families.tidy_all", every="*/10 * * * *")
def tidy_all(timestamp: int) -> None:
    """Whatever a job at its moment should have done, also while this machine slept."""
    ending.end_due_pairings()
    for teen_id in asks.due():
        asks.tidy(teen_id)


@task("families.send_digests", every="0 16 * * 0")
def send_digests(timestamp: int) -> None:
    """Send the weekly digests, on Sundays."""
    digest.send_digests()


@task(digest.MAIL)
def mail_digest(pairing_id: str) -> None:
    """Mail one digest."""
    digest.mail_digest(pairing_id)
