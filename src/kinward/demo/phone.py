"""The guardian's phone, played by a sandbox of the App Store.

A real app sees nothing of this: the guardian decides in the settings of the phone.
"""

from typing import Any

import httpx
from django.conf import settings

from kinward.demo.safety import NotNow


def download_of(account_id: str) -> str:
    """Return a member's download of the app, as the App Store signed it for their phone."""
    return str(_call("downloads", account_id)["signed_app_transaction"])


def withdraw(account_id: str) -> bool:
    """Withdraw consent on the guardian's phone; return whether Kinward took Apple's word."""
    return bool(_call("withdraw", account_id)["receiver"] == 200)


def give(account_id: str) -> None:
    """Give consent again on the guardian's phone, so that the app starts again."""
    _call("give", account_id)


def _call(path: str, user: str) -> dict[str, Any]:
    url = f"{settings.APP_STORE_URL}/{path}"
    try:
        with httpx.Client(timeout=30, trust_env=False) as http:
            answer: dict[str, Any] = http.post(url, json={"user": user}).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        raise NotNow(str(error)) from error
    return answer
