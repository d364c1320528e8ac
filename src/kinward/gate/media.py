"""`POST /v1/media` and `POST /v1/media/hashes`: whether an upload may be published."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from django.db import transaction
from msgspec import UNSET, UnsetType

from kinward.findings.api import Asked, Outcome, prepare, receive, receive_clear
from kinward.gate.calls import Call
from kinward.gate.idempotency import (
    Claim,
    answer_once,
    claim_keys,
    fingerprint,
    keep_answers,
)
from kinward.ground.addresses import address_and_port
from kinward.ground.errors import Invalid, KinwardError
from kinward.ground.multipart import Part
from kinward.ground.text import MAX_ID, is_id
from kinward.matching.api import Md5, Pdq, Sha1, Sha256, Upload, VideoFrames
from kinward.media import MAX_FRAMES, Digests, Hashed

FILE: Final = "file"
KINDS: Final = (Pdq(), Md5(), Sha1(), Sha256())  # each has a field of its name in `Hashes`
FRAMES: Final = VideoFrames()
MAX_SENT_TO: Final = 100
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
SKEW: Final = timedelta(minutes=5)


class UploadFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The fields of an upload, without its file."""

    account_id: str
    content_id: str
    ip: str | None = None
    port: int | None = None
    uploaded_at: datetime | None = None
    public: bool | None = None
    sent_to: list[str] = []

    def __post_init__(self) -> None:
        for name in ("account_id", "content_id"):
            if not is_id(getattr(self, name)):
                raise ValueError(f"{name} has 1 to {MAX_ID} printable characters")
        if len(self.sent_to) > MAX_SENT_TO or not all(map(is_id, self.sent_to)):
            raise ValueError(f"sent_to has at most {MAX_SENT_TO} account ids")
        if self.ip is not None:
            self._read_address(self.ip)
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError("port is from 1 to 65535")
        if self.uploaded_at is not None:
            self._check_time(self.uploaded_at)

    def _read_address(self, text: str) -> None:
        """Take the one text of an address. Raises `Invalid` if it names another port."""
        self.ip, port = address_and_port(text)
        if port is not None and self.port not in (None, port):
            raise Invalid(f"ip has the port {port}, but port is {self.port}. Send one of them.")
        self.port = self.port or port

    @staticmethod
    def _check_time(at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("uploaded_at needs a time zone, as in 2026-01-31T12:00:00Z")
        if not EARLIEST <= at <= datetime.now(UTC) + SKEW:
            raise ValueError("uploaded_at is in the future or before the year 2000")


class Hashes(UploadFields, kw_only=True, forbid_unknown_fields=True):
    """The hashes of a file that the platform does not send, in lower-case or upper-case hex."""

    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    pdq: str = ""
    quality: int = 100
    frames: list[str] = []
    filename: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        sent = [kind for kind in KINDS if getattr(self, kind.name)]
        if not sent and not self.frames:
            raise ValueError("send at least one of md5, sha1, sha256, pdq, frames")
        if len(self.frames) > MAX_FRAMES or (self.frames and self.pdq):
            raise ValueError(
                f"frames has at most {MAX_FRAMES} PDQ hashes of a video, and excludes pdq"
            )
        self.frames = [Pdq().decode(frame).hex() for frame in self.frames]
        for kind in sent:
            setattr(self, kind.name, kind.decode(getattr(self, kind.name)).hex())
        if not 0 <= self.quality <= 100 or len(self.filename) > 255:
            raise ValueError("quality is from 0 to 100; filename has at most 255 characters")


class Checked(msgspec.Struct, frozen=True):
    """Whether an upload may be published. It never tells a reason or a distance.

    `checked`: the kinds of hash that were looked up. Empty in answers kept by earlier versions.
    `not_checked`: codes of errors, which say why other kinds were not looked up.
    """

    check_id: str
    outcome: Literal["clear", "quarantine"]
    case_id: str | UnsetType = UNSET
    checked: list[str] = []
    not_checked: list[str] | UnsetType = UNSET


def check_file(call: Call[dict[str, Part]]) -> Checked:
    """Check a file that is sent as a form."""
    parts = call.body
    fields = {FILE, *UploadFields.__struct_fields__}
    if unknown := set(parts) - fields:
        raise Invalid(f"Unknown field {min(unknown)[:60]!r}. Fields: {sorted(fields)}.")
    file = parts.get(FILE)
    if file is None or not file.data:
        raise Invalid("Send the file as a part named `file`.")
    texts = {name: part.text.strip() for name, part in parts.items() if name != FILE}
    about = _upload_fields({name: text for name, text in texts.items() if text})
    data = bytes(file.data)
    file.data.clear()  # so that only one copy of the upload is in memory
    prepared = prepare(data, payer=call.payer(about.account_id))
    upload = Upload(
        content_id=about.content_id,
        uploaded_at=about.uploaded_at or datetime.now(UTC),
        filename=file.filename or "",
        ip=about.ip,
        port=about.port,
        public=about.public,
        sent_to=about.sent_to,
        size=len(data),
        digests=prepared.digests,
        hashed=prepared.hashed,
    )
    return _answer_once(
        call,
        print_=fingerprint("media", about, prepared.digests.sha256),
        produce=lambda: receive(
            actor=call.actor,
            account_id=about.account_id,
            upload=upload,
            data=data,
            fault=prepared.fault,
            missed=prepared.missed,
        ),
    )


def _answer_once(call: Call[Any], *, print_: str, produce: Callable[[], Outcome]) -> Checked:
    answer = answer_once(api_key=call.key, key=call.idempotency_key, print_=print_, produce=produce)
    return msgspec.convert(answer, Checked)


def _upload_fields(texts: dict[str, Any]) -> UploadFields:
    try:
        if "sent_to" in texts:
            texts["sent_to"] = msgspec.json.decode(texts["sent_to"], type=list[str])
        return msgspec.convert(texts, UploadFields, strict=False)
    except msgspec.DecodeError as error:
        raise Invalid(f"{error}.") from error


def check_hashes(call: Call[Hashes]) -> Checked:
    """Check a file by its hashes alone."""
    upload = _upload(call.body)
    return _answer_once(
        call,
        print_=fingerprint("hashes", call.body),
        produce=lambda: receive(actor=call.actor, account_id=call.body.account_id, upload=upload),
    )


@transaction.atomic
def check_hashes_together(calls: Sequence[Call[Hashes]]) -> list[Checked | KinwardError | None]:
    """Check many files by their hashes; None for one that hits something, or was asked before."""
    claims = claims_of(dict(enumerate(calls)))
    rows = claim_keys(claims)
    places = [at for at in range(len(calls)) if at in rows or at not in claims]
    asked = [Asked(calls[at].body.account_id, _upload(calls[at].body)) for at in places]
    answers = dict(zip(places, receive_clear(asked), strict=True))
    kept = {row: answer for at, row in rows.items() if isinstance(answer := answers[at], Outcome)}
    keep_answers(kept, rows.values())
    return [_checked(answers.get(at)) for at in range(len(calls))]


def claims_of(calls: Mapping[int, Call[Hashes]]) -> dict[int, Claim]:
    """Return the Idempotency-Keys of calls, by the places of those that have one."""
    return {
        at: Claim(call.key, call.idempotency_key, fingerprint("hashes", call.body))
        for at, call in calls.items()
        if call.idempotency_key
    }


def _checked(answer: Outcome | KinwardError | None) -> Checked | KinwardError | None:
    if isinstance(answer, Outcome):
        return msgspec.convert(msgspec.to_builtins(answer), Checked)
    return answer


def _upload(hashes: Hashes) -> Upload:
    return Upload(
        content_id=hashes.content_id,
        uploaded_at=hashes.uploaded_at or datetime.now(UTC),
        filename=hashes.filename,
        ip=hashes.ip,
        port=hashes.port,
        public=hashes.public,
        sent_to=hashes.sent_to,
        digests=Digests(hashes.md5, hashes.sha1, hashes.sha256),
        hashed=_hashed(hashes),
    )


def _hashed(hashes: Hashes) -> Hashed | None:
    """Return the perceptual hash that was sent in place of a file, if any."""
    if hashes.pdq:
        return Hashed(Pdq.name, bytes.fromhex(hashes.pdq), quality=hashes.quality)
    signature = bytes.fromhex("".join(hashes.frames))
    count = max(2, len(hashes.frames))
    return Hashed(FRAMES.name, signature, frames=count) if signature else None
