"""Filing so that a crash at any point resumes: every call is written down before it is made.

A call that was begun and never answered may or may not have been carried out. Unless the step can
be repeated safely, that is `Uncertain`, and the authority's client abandons the attempt.
"""

from collections.abc import Callable

import httpx
from django.utils import timezone

from kinward.ground.errors import KinwardError
from kinward.reporting.answer import Answer
from kinward.reporting.draft import Draft
from kinward.reporting.models import Attempt, Call, Report


class TryLater(KinwardError):
    """The authority cannot take the report now. It will be tried again."""

    code = "report.try_later"
    status = 503


class Uncertain(KinwardError):
    """Whether the authority carried out a step is not known."""

    code = "report.uncertain"


class Refused(KinwardError):
    """The authority refuses the report as it is. A person must look at what it says."""

    code = "report.refused"


class HandOverNeeded(KinwardError):
    """This authority takes no reports from machines: a person has to bring it there."""

    code = "report.hand_over_needed"
    status = 409


class Filing:
    """One report on its way: its draft, its live attempt, and the record of its calls.

    The draft is in the words of the authority, and `succeeded` is its own judgement of an answer.
    """

    def __init__(
        self, report: Report, *, draft: Draft, succeeded: Callable[[Answer], bool]
    ) -> None:
        self.report, self.draft, self._succeeded = report, draft, succeeded
        self.attempt = self._live_attempt()

    def _live_attempt(self) -> Attempt:
        live = Attempt.objects.filter(report=self.report, abandoned="").first()
        return live or Attempt.objects.create(
            report=self.report, number=Attempt.objects.filter(report=self.report).count() + 1
        )

    def answered(self, step: str) -> Answer | None:
        """The answer to a step of this attempt, when there is one."""
        call = Call.objects.filter(attempt=self.attempt, step=step).first()
        return None if call is None else _answer_of(call)

    def call(
        self, step: str, request: str, send: Callable[[], Answer], *, repeatable: bool = False
    ) -> Answer:
        """Make a call once in this attempt, or return the success that it already had.

        An answer with a code is an answer; a dropped connection, or a bare status without one,
        leaves the step unanswered, and asking again raises `Uncertain` unless it is repeatable.
        """
        call = Call.objects.filter(attempt=self.attempt, step=step).first()
        if call is not None:
            if call.answered_at is None and not repeatable:
                raise Uncertain(step)
            kept = _answer_of(call)
            if kept is not None and self._succeeded(kept):
                return kept
            call.delete()
        call = Call.objects.create(
            attempt=self.attempt, step=step, request=request, started_at=timezone.now()
        )
        try:
            answer = send()
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            call.delete()  # it never left, so nothing is uncertain
            raise TryLater(f"{type(error).__name__} at {step}.") from error
        except httpx.TransportError as error:
            raise Uncertain(f"{step}: {type(error).__name__}.") from error
        if answer.code is None and answer.http_status >= 500:
            raise Uncertain(f"{step}: HTTP {answer.http_status} without a code.")
        self._keep(call, answer)
        return answer

    def _keep(self, call: Call, answer: Answer) -> None:
        call.answered_at = timezone.now()
        call.http_status, call.code = answer.http_status, answer.code
        call.request_id, call.response = answer.request_id, answer.body
        call.save()

    def restart(self, why: str) -> None:
        """Abandon the live attempt, which the caller has retracted or knows to be gone."""
        self.attempt.abandoned = why[:300]
        self.attempt.save(update_fields=["abandoned"])
        self.attempt = self._live_attempt()


def _answer_of(call: Call) -> Answer | None:
    if call.answered_at is None or call.http_status is None:
        return None
    return Answer(call.http_status, call.code, call.response, call.request_id)
