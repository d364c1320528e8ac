"""Ask for a proof of age, take its one answer, and settle it with what is known."""

import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone

from kinward import policy
from kinward.access import Actor
from kinward.ages import encrypted as encryption
from kinward.ages import mdoc, oidc, openid4vp, provider, status
from kinward.ages.encrypted import AnswerKey
from kinward.ages.models import Method, Outcome, ProofRequest
from kinward.ages.refused import ProofRefused
from kinward.ages.trust import SETTING, Issuers, read_issuers
from kinward.ground.calls_out import Caller, CallFailed, Limits, Reach
from kinward.ground.config import config, require_safe, travels_safely
from kinward.ground.errors import Invalid, KinwardError, NotConfigured
from kinward.ground.secrets import open_text, seal_text
from kinward.ledger.api import kinds, record
from kinward.people.api import get_account, local_day, lock_account, note_unread, set_age
from kinward.policy import AgeRange

OPEN_FOR: Final = timedelta(minutes=10)
WALLET_DOOR: Final = "/v1/age-proofs/wallet"
MAX_AGES: Final = 4
SEALED_FOR: Final = "age-proof answers"
MAX_STATE: Final = 64
MAX_ADDRESS: Final = 500
STATUS_LIMITS: Final = Limits(seconds=5.0, answer_bytes=status.MAX_TOKEN)
ACCEPT: Final = ", ".join((*status.MEDIA_TYPES, status.IDENTIFIERS))
SOURCES: Final = {Method.WALLET: "eu-wallet", Method.AGEKEY: "agekey"}


class ProofUnknown(KinwardError):
    """No request for a proof of age waits for this. It was answered, it expired, or never was."""

    code = "age_proof.unknown"
    status = 404


class Asked(msgspec.Struct, frozen=True):
    """A request, the address that the person opens, and its parameters for a page of one's own."""

    request: ProofRequest
    url: str
    parameters: dict[str, Any] | None = None


def ask_for_proof(
    *,
    account_id: str,
    method: Method,
    ages: Sequence[int],
    response_uri: str = "",
    encrypted: bool = False,
) -> Asked:
    """Make a request for a proof. It takes the place of the account's earlier one by that method.

    `response_uri`: where the wallet posts its answer, if the platform relays it. `encrypted`: the
    wallet has to encrypt its answer, and one without encryption is refused. Raises
    `AccountUnknown`, `NotConfigured`, `ProviderUnreachable` and `Invalid`.
    """
    if not 1 <= len(ages) <= MAX_AGES or len({*ages}) != len(ages):
        raise Invalid(f"Ask for 1 to {MAX_AGES} different ages.")
    if not all(1 <= age <= 99 for age in ages):
        raise Invalid("An age is from 1 to 99 years.")
    account = get_account(account_id)
    request = ProofRequest(
        account=account,
        method=method,
        ages=sorted(ages, reverse=True),
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        expires_at=timezone.now() + OPEN_FOR,
    )
    by = _by_wallet if method == Method.WALLET else _by_agekey
    asked = by(request, response_uri, encrypted)
    with transaction.atomic():
        lock_account(account.pk)
        ProofRequest.objects.filter(account=account, method=method).delete()
        request.save(force_insert=True)
    return asked


def _by_wallet(request: ProofRequest, response_uri: str, encrypted: bool) -> Asked:
    if not trusted_issuers().certificates:
        raise NotConfigured(f"{SETTING} lists nobody, so no proof from a wallet would count.")
    uri = response_uri or config().url + WALLET_DOOR
    if not response_uri:
        require_safe("KINWARD_PUBLIC_URL", uri)
    elif not _is_address(uri):
        raise Invalid(f"response_uri is an address with https of at most {MAX_ADDRESS} characters.")
    request.response_uri = uri
    key = AnswerKey.new(request.state) if encrypted else None
    if key is not None:
        request.answer_key = seal_text(key.private, SEALED_FOR)
    bound = openid4vp.request_of(request.nonce, uri)
    public = None if key is None else key.public
    parameters = openid4vp.parameters(bound, request.state, request.ages, public)
    return Asked(request, openid4vp.address(parameters), parameters)


def _is_address(uri: str) -> bool:
    try:
        return len(uri) <= MAX_ADDRESS and travels_safely(uri) and "#" not in uri
    except ValueError:
        return False


def _by_agekey(request: ProofRequest, response_uri: str, encrypted: bool) -> Asked:
    if response_uri or encrypted:
        raise Invalid(
            "response_uri and encrypted are for wallets. Age keys have KINWARD_AGEKEY_REDIRECT_URL."
        )
    ours = provider.client()
    request.verifier = secrets.token_urlsafe(32)
    url = oidc.address(
        ours,
        provider.discover(ours).authorization_endpoint,
        state=request.state,
        nonce=request.nonce,
        verifier=request.verifier,
        ages=request.ages,
    )
    return Asked(request, url)


def take_wallet_answer(
    *,
    state: str,
    vp_token: str,
    response: str = "",
    proof: tuple[str, UUID] | None = None,
    actor: Actor | None = None,
) -> ProofRequest:
    """Verify what a wallet answered, and settle the account's age. Each request has one answer.

    `response` is an encrypted answer, which names its request itself. `proof` is the account and
    the request that a platform names when it relays. No token means that the person declined.
    Raises `NotConfigured`, `ProofUnknown` and `ProofRefused`.
    """
    issuers = trusted_issuers()

    def prove(request: ProofRequest, note: Callable[[str], None]) -> AgeRange:
        body, key = _presented(request, vp_token, response)
        now = timezone.now()
        bound = openid4vp.request_of(request.nonce, request.response_uri, key)
        attested = mdoc.verify(
            body,
            transcript=bound.transcript,
            issuers=issuers,
            now=now,
            note=note,
        )
        asked = {f"age_over_{age:02}" for age in request.ages}
        age = _age(policy.from_eu_wallet, attested.claims, note)
        if asked.isdisjoint(attested.claims):
            raise ProofRefused("unanswered")
        only = Issuers((attested.anchor,))
        for listed in attested.statuses:
            status.check(_fetch_list(listed.uri), listed, only, now)
        return age

    name = encryption.name_in(response) if response else state
    return _settle(_take(Method.WALLET, name, proof), prove, actor)


def _presented(request: ProofRequest, vp_token: str, response: str) -> tuple[bytes, bytes | None]:
    """Return the DeviceResponse of an answer, and the thumbprint of the key that opened it."""
    if not request.answer_key:
        if response:
            raise ProofRefused("malformed", "It is encrypted, and nobody asked for that.")
        if not vp_token:
            raise ProofRefused("declined")
        return openid4vp.read_token(vp_token), None
    if vp_token:
        raise ProofRefused("unencrypted")
    if not response:
        raise ProofRefused("declined")
    key = AnswerKey(open_text(request.answer_key, SEALED_FOR))
    token = encryption.read_answer(key, response, request.state)
    if token is None:
        raise ProofRefused("declined")
    return openid4vp.presentation(token), key.thumbprint


def take_agekey_answer(
    *, state: str, id_token: str, code: str, proof: tuple[str, UUID], actor: Actor
) -> ProofRequest:
    """Verify what the provider of age keys answered, and settle the account's age.

    Raises `NotConfigured`, `ProofUnknown`, `ProofRefused` and `ProviderUnreachable`.
    """
    ours = provider.client()

    def prove(request: ProofRequest, note: Callable[[str], None]) -> AgeRange:
        sent = code if ours.flow == "code" else id_token
        if not sent:
            raise ProofRefused("declined")
        found = provider.discover(ours)
        token = sent
        if ours.flow == "code":
            token = provider.exchange(
                found,
                ours,
                code=code,
                verifier=request.verifier,
                secret=config().agekey_client_secret,
            )
        keys, now = provider.keys_of(found), timezone.now()
        claims = oidc.verify(token, client=ours, keys=keys, nonce=request.nonce, now=now)
        age = _age(policy.from_agekey, claims, note)
        if "age_thresholds" not in claims:
            raise ProofRefused("unanswered")
        return age

    return _settle(_take(Method.AGEKEY, state, proof), prove, actor)


def get_proof(account_id: str, proof_id: UUID) -> ProofRequest:
    """Return a request of an account. Raises `AccountUnknown` and `ProofUnknown`."""
    account = get_account(account_id)
    request = ProofRequest.objects.filter(pk=proof_id, account=account).first()
    if request is None:
        raise ProofUnknown
    request.account = account
    return request


def trusted_issuers() -> Issuers:
    """Read the listed issuers. Without a list, nobody is trusted.

    Raises `NotConfigured` for a list that cannot be read, or that counts no longer.
    """
    path = config().age_issuers
    if not path:
        return Issuers()
    try:
        issuers = read_issuers(Path(path).read_bytes())
    except OSError as error:
        raise NotConfigured(f"{SETTING} cannot be read: {error.strerror}.") from None
    if issuers.until is not None and issuers.until < timezone.now().date():
        raise NotConfigured(f"{SETTING} counted until {issuers.until}. Bring it up to date.")
    return issuers


@transaction.atomic
def _take(method: Method, state: str, proof: tuple[str, UUID] | None) -> ProofRequest:
    """Take the one answer of a request: whatever comes of it, no other is accepted."""
    now = timezone.now()
    waiting = ProofRequest.objects.select_for_update(no_key=True, of=("self",)).filter(
        state=state[: MAX_STATE + 1], method=method, taken_at=None, expires_at__gt=now
    )
    if proof is not None:
        waiting = waiting.filter(account__platform_id=proof[0], pk=proof[1])
    request = waiting.first()
    if request is None:
        raise ProofUnknown
    ProofRequest.objects.filter(pk=request.pk).update(taken_at=now, answer_key="")
    request.taken_at = now
    return request


def _settle(
    request: ProofRequest,
    prove: Callable[[ProofRequest, Callable[[str], None]], AgeRange],
    actor: Actor | None,
) -> ProofRequest:
    """Verify outside of any transaction, since it may call out. Then write what came of it."""
    notes: list[str] = []
    try:
        age = prove(request, notes.append)
    except ProofRefused as error:
        request.outcome, request.reason = Outcome.REFUSED, error.reason
        _write(request, notes)
        raise
    with transaction.atomic():
        account = request.account = lock_account(request.account_id)
        known = account.age.on(local_day(account.time_zone))
        settled, fits = policy.settled(known, age, account.strength)
        request.outcome = Outcome.ACCEPTED if fits else Outcome.CONTRADICTED
        _write(request, notes)
        by = actor or account.actor
        if settled != known:
            set_age(account=account, age=settled, actor=by)
        fact = kinds.AgeProven(
            method=request.method,
            outcome=request.outcome,
            age=[account.age_lower, account.age_upper],
        )
        subject = f"account:{account.platform_id}"
        record(actor=by, subject=subject, fact=fact)
    return request


@transaction.atomic
def _write(request: ProofRequest, notes: Sequence[str]) -> None:
    """Write what became of a request, and what the adapter did not know."""
    for words in notes:
        note_unread(SOURCES[Method(request.method)], words)
    # A newer request may have taken its place meanwhile. What was proven still counts.
    rows = ProofRequest.objects.filter(pk=request.pk)
    rows.update(outcome=request.outcome, reason=request.reason)


def _age(
    adapter: Callable[..., AgeRange], claims: dict[str, Any], note: Callable[[str], None]
) -> AgeRange:
    """Read claims by an adapter of the policy. Raises `ProofRefused`."""
    try:
        age = adapter(claims, note)
    except ValueError as error:
        raise ProofRefused("contradictory", f"{error}.") from None
    if policy.is_unknown(age.lower, age.upper):
        raise ProofRefused("unanswered")
    return age


def _fetch_list(uri: str) -> bytes:
    try:
        with Caller(limits=STATUS_LIMITS, reach=Reach.STRANGERS) as caller:
            answer = caller.call("GET", uri, headers={"accept": ACCEPT})
    except CallFailed as error:
        raise ProofRefused("status.unknown", str(error)) from None
    if answer.status != 200:
        raise ProofRefused("status.unknown", f"The list's address answers {answer.status}.")
    return answer.body


def state_of(request: ProofRequest, now: datetime) -> str:
    """Return what became of a request. One that waits past its time has expired."""
    if request.outcome == Outcome.WAITING and request.expires_at <= now:
        return "expired"
    return request.outcome
