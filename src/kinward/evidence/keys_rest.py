"""Keys in HashiCorp Vault (or OpenBao) and in Google Cloud KMS, over their HTTP interfaces.

The evidence's id is the associated data, so a wrapped key opens no other evidence. Both services
keep track of a key's versions.

Sources: https://developer.hashicorp.com/vault/api-docs/secret/transit (encrypt, decrypt);
https://cloud.google.com/kms/docs/reference/rest (cryptoKeys.encrypt, cryptoKeys.decrypt);
https://cloud.google.com/compute/docs/access/authenticate-workloads (the metadata server's token).
"""

from base64 import b64decode, b64encode
from time import monotonic
from typing import Any, Final
from uuid import UUID

from kinward.evidence.keys import KeysUnreachable
from kinward.evidence.sealing import CannotUnseal
from kinward.ground.calls_out import Answer, Caller, CallFailed, Limits, Reach
from kinward.ground.config import Config, require_safe
from kinward.ground.errors import NotConfigured

LIMITS: Final = Limits(seconds=10.0, answer_bytes=256 * 1024)
REFUSED: Final = {400, 403, 404}
TOKEN_PATH: Final = "/computeMetadata/v1/instance/service-accounts/default/token"  # noqa: S105
EARLY: Final = 60.0  # a token is renewed so many seconds before it expires


class VaultTransit:
    """A key in Vault's transit engine: `vault:<mount>/<key>`, an AEAD key such as aes256-gcm96.

    The token is KINWARD_VAULT_TOKEN, or in `<data>/secrets/vault_token`. The file is read for every
    call, so that an agent can renew the token.
    """

    def __init__(self, config: Config, which: str) -> None:
        self._mount, slash, self._key = which.rpartition("/")
        if not slash or not self._mount or not self._key or not config.vault_url:
            raise NotConfigured(
                "Set KINWARD_VAULT_URL, and name the key: "
                "KINWARD_EVIDENCE_KEYS=vault:transit/kinward."
            )
        require_safe("KINWARD_VAULT_URL", config.vault_url)
        self._base = f"{config.vault_url.rstrip('/')}/v1/{self._mount}"
        self._config = config
        self._http = Caller(limits=LIMITS, reach=Reach.OURS)

    @property
    def current(self) -> str:
        """The key as the operator named it."""
        return f"vault:{self._mount}/{self._key}"

    def wrap(self, data_key: str, evidence_id: UUID) -> bytes:
        """Have Vault encrypt a data key."""
        sent = {"plaintext": _text(data_key.encode())}
        return self._ask("encrypt", "ciphertext", evidence_id, sent).encode()

    def unwrap(self, wrapped: bytes, key_id: str, evidence_id: UUID) -> str:
        """Have Vault decrypt a data key."""
        sent = {"ciphertext": wrapped.decode()}
        return _data_key(self._ask("decrypt", "plaintext", evidence_id, sent), "Vault")

    def _ask(self, verb: str, field: str, evidence_id: UUID, sent: dict[str, str]) -> str:
        url = f"{self._base}/{verb}/{self._key}"
        headers = {"x-vault-token": self._config.secret("vault_token")}
        body = sent | {"associated_data": _text(str(evidence_id).encode())}
        return _send(self._http, url, headers, body, ("data", field), "Vault")


class GcpKms:
    """A key in Cloud KMS: `gcp-kms:projects/…/locations/…/keyRings/…/cryptoKeys/…`.

    The metadata server gives the credentials of the machine or workload.
    """

    def __init__(self, config: Config, which: str) -> None:
        if not which.startswith("projects/"):
            raise NotConfigured("Name the key: KINWARD_EVIDENCE_KEYS=gcp-kms:projects/….")
        self._which = which
        require_safe("KINWARD_GCP_KMS_URL", config.gcp_kms_url)
        self._base = f"{config.gcp_kms_url.rstrip('/')}/v1/{which}"
        self._metadata = config.gcp_metadata_url.rstrip("/")
        self._http = Caller(limits=LIMITS, reach=Reach.OURS)
        # The metadata server is reached by plain http, inside the machine's own network.
        self._metadata_http = Caller(limits=LIMITS, reach=Reach.OURS, open_text=True)
        self._token, self._ends = "", 0.0

    @property
    def current(self) -> str:
        """The key as the operator named it."""
        return f"gcp-kms:{self._which}"

    def wrap(self, data_key: str, evidence_id: UUID) -> bytes:
        """Have KMS encrypt a data key."""
        sent = {"plaintext": _text(data_key.encode())}
        return _bytes(self._ask("encrypt", "ciphertext", evidence_id, sent), "Cloud KMS")

    def unwrap(self, wrapped: bytes, key_id: str, evidence_id: UUID) -> str:
        """Have KMS decrypt a data key."""
        sent = {"ciphertext": _text(wrapped)}
        return _data_key(self._ask("decrypt", "plaintext", evidence_id, sent), "Cloud KMS")

    def _ask(self, verb: str, field: str, evidence_id: UUID, sent: dict[str, str]) -> str:
        headers = {"authorization": f"Bearer {self._bearer()}"}
        body = sent | {"additionalAuthenticatedData": _text(str(evidence_id).encode())}
        return _send(self._http, f"{self._base}:{verb}", headers, body, (field,), "Cloud KMS")

    def _bearer(self) -> str:
        if monotonic() >= self._ends:
            headers = {"Metadata-Flavor": "Google"}
            try:
                url = f"{self._metadata}{TOKEN_PATH}"
                token = _good(self._metadata_http.call("GET", url, headers=headers)).json()
                self._token = str(token["access_token"])
                self._ends = monotonic() + float(token["expires_in"]) - EARLY
            except (CallFailed, ValueError, KeyError, TypeError) as error:
                raise KeysUnreachable(f"No token from the metadata server: {error}.") from error
        return self._token


def _good(answer: Answer) -> Answer:
    if not 200 <= answer.status < 300:
        raise CallFailed(f"It answers HTTP {answer.status}.")
    return answer


def _send(
    http: Caller,
    url: str,
    headers: dict[str, str],
    body: dict[str, str],
    path: tuple[str, ...],
    who: str,
) -> str:
    """Post JSON; return the text at a path of the answer.

    Raises `CannotUnseal` if the service refuses, else `KeysUnreachable` without a good answer.
    """
    try:
        answer = http.call("POST", url, headers=headers, json=body)
        if answer.status in REFUSED:
            raise CannotUnseal(f"{who} says HTTP {answer.status}: {answer.text[:200]}")
        value: Any = _good(answer).json()
        for name in path:
            value = value[name]
        if not isinstance(value, str):
            raise TypeError(f"{path[-1]} is no text")
    except (CallFailed, ValueError, KeyError, TypeError) as error:
        raise KeysUnreachable(f"{who}: {type(error).__name__}: {error}.") from error
    return value


def _bytes(text: str, who: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise KeysUnreachable(f"{who} answers what is not base64.") from error


def _data_key(text: str, who: str) -> str:
    try:
        return _bytes(text, who).decode("ascii")
    except UnicodeDecodeError as error:
        raise KeysUnreachable(f"{who} answers what is not a data key.") from error


def _text(data: bytes) -> str:
    return b64encode(data).decode()
