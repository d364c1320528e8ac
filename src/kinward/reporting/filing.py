"""Filing that resumes after a crash at any point: every call is stored before it is made.

An unanswered call may or may not have been carried out. Unless the step can be repeated safely, it
is `Uncertain`, and the authority's client abandons the attempt.
"""

from collections.abc import Callable

from django.utils import timezone

from kinward.evidence.api import get_evidence, read_for_report, require_authentic
from kinward.ground.calls_out import CallFailed, NotSent
from kinward.ground.errors import KinwardError
from kinward.reporting.answer import Answer
from kinward.reporting.draft import Draft, ReportedFile
from kinward.reporting.models import Attempt, Call, Report


class TryLater(KinwardError):
    """The authority cannot take the report now. It will be tried again."""

    code = "report.try_later"
    status = 503


class Uncertain(KinwardError):
    """It is not known whether the authority carried out a step."""

    code = "report.uncertain"


class Refused(KinwardError):
    """The authority refuses this report. A person must read its answer."""

    code = "report.refused"


class HandOverNeeded(KinwardError):
    """This authority has no reporting API. A person must deliver the report."""

    code = "report.hand_over_needed"
    status = 409


class Filing:
    """The filing of one report: its draft, its live attempt, and the record of its calls.

    The draft is in the authority's vocabulary, and `succeeded` is the authority's judgement of an
    answer.
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

    def read_file(self, file: ReportedFile) -> bytes:
        """Return the bytes of a file of the report.

        Raises `Damaged`, and `Refused` if the draft names a file of another case, or another file.
        """
        evidence = get_evidence(file.evidence_id)
        require_authentic(evidence)
        digest = file.hashes.get("SHA256", evidence.sha256)
        if (evidence.case_id, evidence.sha256) != (self.report.case_id, digest):
            raise Refused(f"Evidence {file.evidence_id} is not the file that was reported.")
        return read_for_report(evidence=evidence, report_id=self.report.id)

    def answered(self, step: str) -> Answer | None:
        """Return the answer to a step of this attempt, if there is one."""
        call = Call.objects.filter(attempt=self.attempt, step=step).first()
        return None if call is None else _answer_of(call)

    def call(
        self, step: str, request: str, send: Callable[[], Answer], *, repeatable: bool = False
    ) -> Answer:
        """Make a call once in this attempt, or return its earlier success.

        A dropped connection leaves the step unanswered, and so does an HTTP error of 500 or above
        without a code of the authority. An unanswered step raises `Uncertain`, now and when it is
        called again, unless it is `repeatable`: then the call is repeated. Raises `TryLater` if
        no connection was made.
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
        except NotSent as error:
            call.delete()  # the call never left, so nothing is uncertain
            raise TryLater(f"{step}: {error}") from error
        except CallFailed as error:
            raise Uncertain(f"{step}: {error}") from error
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
