"""How allauth fits here: no public sign-up, and second-factor secrets sealed at rest."""

import base64
import hashlib

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest


class StaffAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Staff accounts are made with `kinward staff add`, never by a visitor."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SealedMfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps TOTP secrets encrypted under Django's secret key."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()


def _fernet() -> Fernet:
    key = hashlib.sha256(b"kinward.mfa:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
