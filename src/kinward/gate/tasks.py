"""The gate's daily job."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from kinward.gate.models import KeptAnswer
from kinward.ground.jobs import task

KEPT_FOR: Final = timedelta(days=7)


@task("gate.forget_answers", every="41 3 * * *")
def forget_answers(timestamp: int) -> None:
    """Delete answers that are older than a week. No client repeats a request after that."""
    KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()
