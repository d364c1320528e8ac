"""Filing a report with the CyberTipline: submit, upload and describe each file, finish.

The authority has no idempotency key and no query for filed reports. So a call to `finish` whose
answer was lost is repeated (5102 means done). Any other lost answer abandons the attempt, with
`retract` if the id is known. The authority deletes unfinished reports by itself.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar, Final
from urllib.parse import urlsplit

from lxml import etree

from kinward.ground.calls_out import Answer as HttpAnswer
from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach, basic_auth
from kinward.ground.config import PRODUCTION_CONSENT, Config, require_safe
from kinward.ground.errors import NotConfigured
from kinward.ground.text import storable
from kinward.media import digest_bytes
from kinward.reporting.answer import Answer
from kinward.reporting.authorities.cybertipline.documents import (
    MAX_ANSWER,
    Reply,
    Reporter,
    file_document,
    read_reply,
    reply_of,
    report_document,
    to_xml,
)
from kinward.reporting.authorities.cybertipline.parties import is_report_number
from kinward.reporting.authorities.cybertipline.rules import faults
from kinward.reporting.authorities.cybertipline.settings import CyberTiplineSettings
from kinward.reporting.authorities.cybertipline.vocabulary import VOCABULARY
from kinward.reporting.authority import Receipt
from kinward.reporting.draft import ReportedFile
from kinward.reporting.filing import Filing, Refused, TryLater, Uncertain
from kinward.reporting.vocabulary import Vocabulary

PRODUCTION_HOSTS: Final = {"report.cybertip.org"}
RESTARTS: Final = 3
XML: Final = {"Content-Type": "text/xml; charset=utf-8"}

OK, RETRACTED, FINISHED = 0, 5101, 5102
GONE: Final = {5001, 5002, RETRACTED}
TRANSIENT: Final = range(1000, 2000)
NOT_FOUND: Final = 1210


class Abandon(Exception):
    """This attempt cannot be finished, but a new one can."""


class CyberTipline:
    """The client of a CyberTipline address."""

    settings: ClassVar[type[CyberTiplineSettings]] = CyberTiplineSettings
    vocabulary: ClassVar[Vocabulary] = VOCABULARY
    correction: ClassVar[str] = (
        "The CyberTipline changes no finished report. Write to NCMEC, name the report's number, "
        "and say what was wrong. A new report can name it as an earlier one."
    )

    def __init__(self, config: Config, settings: CyberTiplineSettings) -> None:
        self._config, self._settings = config, settings

    @property
    def address(self) -> str:
        """The address that reports are sent to; empty if nobody has set it."""
        return self._settings.url

    @property
    def production(self) -> str:
        """The address, if it is NCMEC's own, where every report is real; else empty."""
        url = self._settings.url
        host = urlsplit(url).hostname or ""
        return url if host.rstrip(".") in PRODUCTION_HOSTS else ""

    def check(self) -> str:
        """Ask for the authority's status with the credentials, and return its description."""
        with self._http() as http:
            try:
                answer = http.call("GET", "status")
            except CallFailed as error:
                raise TryLater(f"No answer from {self._settings.url}: {error}") from error
            reply = read_reply(answer.body)
        if answer.status == 401 or reply is None or reply.code != OK:
            raise Refused(f"HTTP {answer.status}: check the address and the credentials.")
        return reply.description

    def prior(self, numbers: Sequence[str]) -> list[str]:
        """Return the numbers that have the form of a CyberTipline report."""
        return [number for number in numbers if is_report_number(number)]

    def succeeded(self, answer: Answer) -> bool:
        """Return whether the answer's own code is 0, which is success."""
        return answer.code == OK

    def file(self, filing: Filing) -> Receipt:
        """Resume a report and return its receipt."""
        with self._http() as http:
            for _ in range(RESTARTS):
                try:
                    return self._file_once(http, filing)
                except Abandon as reason:
                    if finished := self._retract(http, filing):
                        return finished
                    filing.restart(str(reason))
                except Refused:
                    # If the report cannot even be retracted, the authority lets it expire.
                    with suppress(TryLater):
                        if finished := self._retract(http, filing):
                            return finished
                        filing.restart("refused")
                    raise
        raise TryLater("Several attempts were interrupted.")

    def withdraw(self, filing: Filing) -> Receipt | None:
        """Retract an open report. A finished one stays, and its receipt is returned."""
        with self._http() as http:
            finished = self._retract(http, filing)
        if finished is not None:
            return finished
        filing.restart("withdrawn")
        return None

    def _http(self) -> Caller:
        chosen = self._settings
        if not chosen.url or not self._config.reporter_email:
            raise NotConfigured("Set KINWARD_CYBERTIPLINE_URL and KINWARD_REPORTER_EMAIL.")
        require_safe("KINWARD_CYBERTIPLINE_URL", chosen.url)
        if self.production and self._config.production_reporting != PRODUCTION_CONSENT:
            raise NotConfigured(
                "The address is NCMEC's production. To file real reports set "
                f"KINWARD_PRODUCTION_REPORTING={PRODUCTION_CONSENT}."
            )
        return Caller(
            base=chosen.url,
            headers=basic_auth(chosen.username, chosen.password),
            limits=Limits(seconds=self._config.call_seconds, answer_bytes=MAX_ANSWER),
            reach=Reach.STRANGERS,
        )

    def _file_once(self, http: Caller, filing: Filing) -> Receipt:
        report_id = self._submit(http, filing)
        draft = filing.draft
        # A batched report has one file: the authority refuses a second one.
        files = draft.files[:1] if draft.viral_accounts else draft.files
        for number, file in enumerate(files, 1):
            file_id = self._upload(http, filing, report_id, number, file)
            self._describe(http, filing, report_id, number, file, file_id)
        return self._finish(http, filing, report_id)

    def _submit(self, http: Caller, filing: Filing) -> str:
        chosen = self._config
        reporter = Reporter(
            email=chosen.reporter_email,
            company=chosen.company_template,
            terms=chosen.terms_of_service,
            legal_url=chosen.legal_url,
        )
        document = report_document(filing.draft, reporter=reporter, now=datetime.now(UTC))
        reply = self._post_xml(http, filing, "submit", "submit", document)
        if not reply.report_id:
            raise Abandon("submit: the authority gave the report no number.")
        return reply.report_id

    def _upload(
        self, http: Caller, filing: Filing, report_id: str, number: int, file: ReportedFile
    ) -> str:
        step = f"upload:{number}"
        request = f"id={report_id} evidence={file.evidence_id}"
        reply = _expect_ok(
            self._call(
                filing, step, request, lambda: self._send_file(http, filing, report_id, file)
            )
        )
        if reply.md5 and reply.md5 != file.hashes.get("MD5", reply.md5):
            raise Abandon(f"{step}: the authority received other bytes.")
        return reply.file_id

    def _send_file(
        self, http: Caller, filing: Filing, report_id: str, file: ReportedFile
    ) -> Answer:
        data = filing.read_file(file)
        if digest_bytes(data).md5 != file.hashes.get("MD5"):
            raise Refused(f"Evidence {file.evidence_id} is not the file that was reported.")
        parts = {"file": (file.filename or "file", data, "application/octet-stream")}
        return _answer(http.call("POST", "upload", data={"id": report_id}, files=parts))

    def _describe(
        self,
        http: Caller,
        filing: Filing,
        report_id: str,
        number: int,
        file: ReportedFile,
        file_id: str,
    ) -> None:
        document = file_document(
            file,
            report_id=report_id,
            file_id=file_id,
            now=datetime.now(UTC),
            batched=bool(filing.draft.viral_accounts),
        )
        self._post_xml(http, filing, f"fileinfo:{number}", "fileinfo", document)

    def _finish(self, http: Caller, filing: Filing, report_id: str) -> Receipt:
        answer = self._by_id(http, filing, "finish", report_id)
        reply = reply_of(answer)
        if reply and reply.code in (OK, FINISHED):
            return Receipt(report_id, answer.body)
        _expect_ok(answer)
        raise TryLater("finish was not answered.")

    def _retract(self, http: Caller, filing: Filing) -> Receipt | None:
        """Cancel the live attempt's report, if it was opened; return a receipt if it is finished.

        Raises `TryLater` while the outcome is in doubt.
        """
        opened = filing.answered("submit")
        reply = reply_of(opened) if opened else None
        if reply is None or reply.code != OK or not reply.report_id:
            return None
        answer = self._by_id(http, filing, "retract", reply.report_id)
        outcome = reply_of(answer)
        if outcome is not None and outcome.code == FINISHED:
            return Receipt(reply.report_id, answer.body)
        if outcome is None or outcome.code not in {OK, NOT_FOUND, *GONE}:
            raise TryLater(f"The interrupted report {reply.report_id} could not be retracted yet.")
        return None

    def _post_xml(
        self, http: Caller, filing: Filing, step: str, path: str, document: etree._Element
    ) -> Reply:
        wrong = faults(document, datetime.now(UTC))
        if wrong:
            raise Refused(f"The {path} document breaks the authority's rules: {wrong[0]}.")
        body = to_xml(document)
        answer = self._call(
            filing,
            step,
            body.decode(),
            lambda: _answer(http.call("POST", path, content=body, headers=XML)),
        )
        return _expect_ok(answer)

    def _by_id(self, http: Caller, filing: Filing, step: str, report_id: str) -> Answer:
        """Call `finish` or `retract`. Both are repeatable: the answer tells what was done."""
        try:
            return filing.call(
                step,
                f"id={report_id}",
                lambda: _answer(http.call("POST", step, data={"id": report_id})),
                repeatable=True,
            )
        except Uncertain as error:
            raise TryLater(str(error)) from error

    def _call(self, filing: Filing, step: str, request: str, send: Callable[[], Answer]) -> Answer:
        try:
            return filing.call(step, request, send)
        except Uncertain as error:
            raise Abandon(str(error)) from error


def _answer(answer: HttpAnswer) -> Answer:
    reply = read_reply(storable(answer.text).encode())  # as it is stored and read again
    request_id = storable(answer.headers.get("request-id", "")[:100])
    code = reply.code if reply else None
    return Answer(answer.status, code, storable(answer.text), request_id)


def _expect_ok(answer: Answer) -> Reply:
    """Return the reply of a successful call.

    Raises `Abandon`, `TryLater` or `Refused` by the authority's code.
    """
    reply = reply_of(answer)
    if reply is None:
        if answer.http_status in (401, 403):
            raise Refused(f"HTTP {answer.http_status}: the credentials are not accepted.")
        raise TryLater(f"HTTP {answer.http_status} without a response code.")
    if reply.code == OK:
        return reply
    if reply.code in GONE:
        raise Abandon(f"{reply.code} {reply.description}")
    if reply.code in TRANSIENT and reply.code != NOT_FOUND:
        raise TryLater(f"{reply.code} {reply.description}")
    raise Refused(f"{reply.code} {reply.description}")
