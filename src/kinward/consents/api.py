"""The face of `consents`: what other rooms may use."""

from kinward.consents.app_store import StoreRefused, is_configured, require_ready
from kinward.consents.queries import unapplied_withdrawals
from kinward.consents.services import link_download, receive_notification

__all__ = [
    "StoreRefused",
    "is_configured",
    "link_download",
    "receive_notification",
    "require_ready",
    "unapplied_withdrawals",
]
