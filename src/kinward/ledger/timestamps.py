"""Timestamps of checkpoints by an authority (RFC 3161): time that is not ours.

They need the extra `time`. The authority signs a hash of the checkpoint's text, a number that we
drew, and its own time. It learns nothing else. No database here.
"""

import importlib.util
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cryptography import x509

from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.errors import KinwardError, NotInstalled, SettingWrong

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

LIMITS: Final = Limits(seconds=10.0, answer_bytes=64 * 1024)
CLOCKS: Final = 3600  # seconds by which the authority's clock may differ from ours
MAX_ROOTS: Final = 1024 * 1024  # bytes
_CERTIFICATE: Final = re.compile(r'Verify error: ([^"]+)"')

WITHOUT_CLIENT: Final = "Timestamps need the extra `time`: pip install 'kinward[time]'."
QUERY: Final = "application/timestamp-query"
REPLY: Final = "application/timestamp-reply"


class NotStamped(KinwardError):
    """The timestamp authority gave no timestamp that counts. The ledger goes on without it."""

    code = "ledger.not_stamped"
    status = 502


class Stamp(NamedTuple):
    """What an authority answered, and its time."""

    response: bytes
    at: datetime


def has_client() -> bool:
    """Return whether the extra `time` is installed."""
    return importlib.util.find_spec("rfc3161_client") is not None


def require_client() -> None:
    """Raise `NotInstalled` without the extra `time`."""
    if not has_client():
        raise NotInstalled(WITHOUT_CLIENT)


def read_roots(path: str) -> list[x509.Certificate]:
    """Read the certificates of the authorities that are trusted, as PEM. Raises `SettingWrong`."""
    try:
        with Path(path).open("rb") as file:
            return x509.load_pem_x509_certificates(file.read(MAX_ROOTS))
    except (OSError, ValueError) as error:
        raise SettingWrong(f"KINWARD_LEDGER_TSA_ROOTS: {error}") from error


def ask_for_stamp(url: str, data: bytes, roots: Sequence[x509.Certificate]) -> Stamp:
    """Ask an authority for the time of some bytes, and verify what it answers.

    Raises `NotStamped`, and `NotInstalled` without the extra.
    """
    require_client()
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    request = TimestampRequestBuilder(data, HashAlgorithm.SHA256).build()
    try:
        with Caller(limits=LIMITS, reach=Reach.STRANGERS, base=url) as caller:
            answer = caller.call(
                "POST", url, content=request.as_bytes(), headers={"content-type": QUERY}
            )
    except CallFailed as error:
        raise NotStamped(str(error)) from error
    kind = answer.headers.get("content-type", "").partition(";")[0].strip()
    if answer.status != 200 or kind != REPLY:
        raise NotStamped(f"It answered with the status {answer.status} and the type {kind!r}.")
    stamp = verify_stamp(answer.body, data, roots, nonce=request.nonce)
    if abs((stamp.at - datetime.now(UTC)).total_seconds()) > CLOCKS:
        raise NotStamped("Its clock and ours differ by more than an hour.")
    return stamp


def verify_stamp(
    response: bytes, data: bytes, roots: Sequence[x509.Certificate], *, nonce: int | None = None
) -> Stamp:
    """Verify a timestamp of some bytes: signature, certificate at that time, hash and number.

    Raises `NotStamped`, and `NotInstalled` without the extra.
    """
    require_client()
    from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

    try:
        parsed: TimeStampResponse = decode_timestamp_response(response)
    except ValueError as error:
        raise NotStamped(f"Its answer is no timestamp: {error}.") from None
    if parsed.status not in (0, 1):
        said = " ".join(str(each) for each in parsed.status_string)[:200]
        raise NotStamped(f"It refused with the status {parsed.status}: {said or 'no reason'}.")
    try:
        verifier = VerifierBuilder(roots=list(roots), nonce=nonce).build()
        verifier.verify_message(parsed, data)
        at: Any = parsed.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        raise NotStamped(f"Its timestamp does not count: {_reason(str(error))}.") from None
    return Stamp(response, at if at.tzinfo else at.replace(tzinfo=UTC))


def _reason(said: str) -> str:
    """Return what is wrong in few words, out of what OpenSSL says."""
    if match := _CERTIFICATE.search(said):
        return match[1]
    return "the signature does not fit" if "signature failure" in said else said.rstrip(".")[:200]
