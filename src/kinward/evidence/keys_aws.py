"""Keys in AWS KMS: `KINWARD_EVIDENCE_KEYS=aws-kms:<key id, ARN or alias>`. Needs `kinward[aws]`.

The evidence's id is the encryption context, so a wrapped key opens no other evidence. boto3 finds
the region and the credentials; `KINWARD_AWS_ENDPOINT` names another address.
"""

from typing import Any, Final
from uuid import UUID

from kinward.evidence.keys import KeysUnreachable
from kinward.evidence.sealing import CannotUnseal
from kinward.ground.config import Config
from kinward.ground.errors import NotConfigured, NotInstalled

REFUSED: Final = {
    *("InvalidCiphertextException", "IncorrectKeyException", "NotFoundException"),
    *("AccessDeniedException", "DisabledException", "KMSInvalidStateException"),
}


class AwsKms:
    """A key in AWS KMS."""

    def __init__(self, config: Config, which: str) -> None:
        if not which:
            raise NotConfigured("Name the key: KINWARD_EVIDENCE_KEYS=aws-kms:alias/kinward.")
        try:
            import boto3
        except ImportError as error:
            raise NotInstalled("Keys in AWS KMS need the extra: kinward[aws].") from error
        from botocore.config import Config as Options

        options = Options(connect_timeout=5, read_timeout=10, retries={"max_attempts": 3})
        endpoint = config.aws_endpoint or None
        self._client: Any = boto3.client("kms", endpoint_url=endpoint, config=options)
        self._which = which

    @property
    def current(self) -> str:
        """The key as the operator named it. KMS keeps track of its versions."""
        return f"aws-kms:{self._which}"

    def wrap(self, data_key: str, evidence_id: UUID) -> bytes:
        """Have KMS encrypt a data key."""
        answer = self._ask(
            "encrypt", KeyId=self._which, Plaintext=data_key.encode(), **_context(evidence_id)
        )
        return bytes(answer["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, key_id: str, evidence_id: UUID) -> str:
        """Have KMS decrypt a data key."""
        which = key_id.removeprefix("aws-kms:")
        answer = self._ask("decrypt", KeyId=which, CiphertextBlob=wrapped, **_context(evidence_id))
        return bytes(answer["Plaintext"]).decode()

    def _ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._client, verb)(**arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in REFUSED:
                raise CannotUnseal(f"AWS KMS says {code}.") from error
            raise KeysUnreachable(f"AWS KMS says {code}.") from error
        except BotoCoreError as error:
            raise KeysUnreachable(f"{type(error).__name__}.") from error
        return answer


def _context(evidence_id: UUID) -> dict[str, Any]:
    return {"EncryptionContext": {"kinward-evidence": str(evidence_id)}}
