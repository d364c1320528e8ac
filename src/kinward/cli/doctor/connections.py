"""Checks of what Kinward talks to: the app and the partners; and of what is parked."""

import httpx

from kinward.cli.counts import counted
from kinward.cli.doctor.result import Result, fault, fine, warn
from kinward.ground.config import config


def check_api_keys() -> Result:
    """Does the app have an API key?"""
    from kinward.access.api import ApiKey

    if not ApiKey.objects.filter(revoked_at=None).exists():
        return warn("There is no API key. Create one with `kinward key create app`.")
    return fine("There is an API key.")


def check_proxies() -> Result:
    """Does Kinward know the proxies in front of it?"""
    if config().proxies:
        return fine(f"Callers' addresses come from {config().trusted_proxies}.")
    if config().secure:
        return warn(
            "Behind a proxy, all people share the limits of its one address. "
            "Name its network in KINWARD_TRUSTED_PROXIES."
        )
    return fine("There is no proxy: who calls is who is connected.")


def check_webhook() -> Result:
    """Does the app's webhook answer, and refuse an unsigned message?"""
    if config().actions == "pull":
        return fine("Your app fetches its actions.")
    from kinward.enforcement.api import check_address

    check_address(config())
    try:
        with httpx.Client(timeout=5, trust_env=False) as http:
            status = http.post(config().webhook_url, content=b"{}").status_code
    except httpx.HTTPError as error:
        return fault(f"{config().webhook_url} does not answer ({type(error).__name__}).")
    if status < 300:
        return fault("Your webhook accepts unsigned messages. It must verify the signature.")
    if status in (404, 405) or status >= 500:
        return fault(f"{config().webhook_url} answers HTTP {status}. Is the path right?")
    return fine(f"The webhook answers and refuses unsigned messages (HTTP {status}).")


def check_parked() -> Result:
    """Is an action or a report parked?"""
    from kinward.review.api import parked_counts

    counts = parked_counts()
    if any(counts.values()):
        parked = " and ".join(
            counted(count, plural.removesuffix("s"), plural) for plural, count in counts.items()
        )
        return fault(f"{parked} parked. See /operations.")
    return fine("Nothing is parked.")


def check_partners() -> Result:
    """Are the partners' lists up to date?"""
    from kinward.exchanges.api import exchange_health, overdue_exchanges

    partners = list(exchange_health())
    failed = [
        f"{partner.name}: {partner.problem}"
        for partner in partners
        if partner.enabled and partner.problem
    ]
    if failed:
        return fault(f"{failed[0]} See /banks.")
    if late := [partner.name for partner in overdue_exchanges()]:
        return fault(f"Overdue, not read for a while: {', '.join(late)}. See /banks.")
    if new := [
        partner.name for partner in partners if partner.enabled and partner.finished_at is None
    ]:
        return warn(f"Not read completely yet: {', '.join(new)}.")
    if not partners:
        return warn("There are no partners. Add one with `kinward exchange add`.")
    return fine(f"Up to date: {', '.join(partner.name for partner in partners)}.")
