"""Which issuers are trusted: certificates that the operator listed, and none besides."""

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import verification

from kinward.ages.cose import UNREADABLE
from kinward.ages.refused import ProofRefused
from kinward.ground.errors import NotConfigured

SETTING: Final = "KINWARD_AGE_ISSUERS"
MAX_DEPTH: Final = 2  # authorities between a listed one and the signer's certificate
# What an issuer's certificate may and may not be used for differs from state to state, so its own
# extensions are not judged. An authority has to be one.
_SIGNERS: Final = verification.ExtensionPolicy.permit_all()
_AUTHORITIES: Final = verification.ExtensionPolicy.permit_all().require_present(
    x509.BasicConstraints, verification.Criticality.AGNOSTIC, None
)


class Issuers(msgspec.Struct, frozen=True):
    """The listed certificates: of authorities, or of signers themselves.

    `checked` is the day on which somebody last held the file to the official list, and `until` the
    last day on which it counts, if the file says so.
    """

    certificates: tuple[x509.Certificate, ...] = ()
    checked: date | None = None
    until: date | None = None

    def ended(self, now: datetime) -> list[str]:
        """Return the names of listed certificates that do not hold any more."""
        gone = [each for each in self.certificates if each.not_valid_after_utc < now]
        return [each.subject.rfc4514_string()[:80] for each in gone]

    def judge(
        self, chain: Sequence[x509.Certificate], *moments: datetime
    ) -> tuple[ec.EllipticCurvePublicKey, x509.Certificate]:
        """Return the signer's key, and the listed certificate that vouches for it at each moment.

        Raises `ProofRefused`.
        """
        for anchor in self.certificates:
            if all(_vouches(anchor, chain, moment) for moment in moments):
                key = chain[0].public_key()
                if not isinstance(key, ec.EllipticCurvePublicKey):
                    raise ProofRefused("signature", "The issuer's key is not on P-256.")
                return key, anchor
        name = chain[0].subject.rfc4514_string()[:80]
        raise ProofRefused("issuer.untrusted", f"{SETTING} lists nobody who vouches for {name!r}.")


def read_issuers(pem: bytes) -> Issuers:
    """Read the listed certificates from PEM, and the lines about the whole file.

    Such a line is `# checked: 2026-11-26` or `# until: 2026-12-26`. Of several, the earliest day
    counts. Raises `NotConfigured`.
    """
    try:
        certificates = tuple(x509.load_pem_x509_certificates(pem))
    except ValueError as error:
        raise NotConfigured(f"{SETTING} is no file of certificates in PEM: {error}.") from None
    return Issuers(certificates, _day(pem, b"checked"), _day(pem, b"until"))


def _day(pem: bytes, name: bytes) -> date | None:
    """Return the earliest day in the lines of this name."""
    lines = re.findall(rb"^#[ \t]*" + name + rb"[ \t]*:[ \t]*(.*?)[ \t\r]*$", pem, re.MULTILINE)
    try:
        return min((date.fromisoformat(line.decode("ascii")) for line in lines), default=None)
    except ValueError:
        text = name.decode()
        raise NotConfigured(f"{SETTING}: write `# {text}: 2026-11-26`, with a day.") from None


def _vouches(anchor: x509.Certificate, chain: Sequence[x509.Certificate], moment: datetime) -> bool:
    leaf = chain[0]
    if not anchor.not_valid_before_utc <= moment <= anchor.not_valid_after_utc:
        return False
    if leaf == anchor:
        return True
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store([anchor]))
        .time(moment.replace(tzinfo=None))
        .max_chain_depth(MAX_DEPTH)
        .extension_policies(ee_policy=_SIGNERS, ca_policy=_AUTHORITIES)
        .build_client_verifier()
    )
    try:
        verifier.verify(leaf, list(chain[1:]))
    except (verification.VerificationError, *UNREADABLE):
        return False
    return True
