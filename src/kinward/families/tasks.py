"""The daily job of families."""

from datetime import UTC, datetime

from procrastinate.contrib.django import app

from kinward.families.screen_time import forget
from kinward.jobs import task


@app.periodic(cron="23 3 * * *")
@task("families.forget_minutes")
def forget_minutes(timestamp: int) -> None:
    """Forget minutes of use that are older than anybody is shown."""
    forget(datetime.now(UTC))
