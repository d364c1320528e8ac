"""The adapters for allauth: no public sign-up, and second-factor secrets sealed at rest."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest

from kinward.ground.addresses import address_group, client_address
from kinward.ground.config import config
from kinward.ground.secrets import open_text, seal_text


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Refuses sign-up: only `kinward staff add` creates staff accounts."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the caller's address, by which failed sign-ins are counted."""
        chosen = config()
        chain = request.headers.get(chosen.forwarded_header, "")
        peer = request.META.get("REMOTE_ADDR") or ""
        return address_group(client_address(peer, [chain], chosen.proxies))


class SealedMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts TOTP secrets with a key derived from Django's secret key."""

    def encrypt(self, text: str) -> str:
        return seal_text(text, "mfa")

    def decrypt(self, encrypted_text: str) -> str:
        return open_text(encrypted_text, "mfa")
