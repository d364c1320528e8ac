"""The durable jobs of families: what ends by itself, the weekly digest, and forgetting."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone

from kinward.families import asking, digest, ending
from kinward.families.activity import forget_activity
from kinward.families.models import Notice, WrongCode
from kinward.families.portal import forget_visits
from kinward.families.screen_time import KEPT, forget
from kinward.jobs import task


@task("families.forget_minutes", every="23 3 * * *")
def forget_minutes(timestamp: int) -> None:
    """Forget what is older than anybody is shown."""
    forget(datetime.now(UTC))
    forget_activity()
    forget_visits()
    now = timezone.now()
    WrongCode.objects.filter(at__lt=now - timedelta(days=1)).delete()
    Notice.objects.filter(at__lt=now - 2 * KEPT).delete()
    asking.forget_reasons(now - 2 * KEPT)


@task(ending.FINISH)
def finish_pairings(teen_id: int) -> None:
    """End a teen's pairings whose notice is over."""
    ending.finish_due(teen_id)


@task(asking.TIDY)
def tidy_asks(teen_id: int) -> None:
    """Let a teen's asks lapse and grants end, whose time has come."""
    asking.tidy(teen_id)


@task("families.tidy_all", every="*/10 * * * *")
def tidy_all(timestamp: int) -> None:
    """Whatever a job at its moment should have done, also while this machine slept."""
    ending.finish_due()
    for teen_id in asking.due():
        asking.tidy(teen_id)


@task("families.send_digests", every="0 16 * * 0")
def send_digests(timestamp: int) -> None:
    """Send the weekly digests, on Sundays."""
    digest.send_digests()


@task(digest.MAIL)
def mail_digest(pairing_id: str) -> None:
    """Mail one digest."""
    digest.mail_digest(pairing_id)
