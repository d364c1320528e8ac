"""The vault's daily job."""

from django.utils import timezone
from procrastinate.contrib.django import app

from kinward.evidence.services import destroy_expired
from kinward.jobs import task


@app.periodic(cron="17 3 * * *")
@task("evidence.expire")
def expire(timestamp: int) -> None:
    """Destroy what has expired. What a missed day left over goes the next time."""
    destroy_expired(timezone.now())
