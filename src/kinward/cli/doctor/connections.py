"""Checks of what Kinward talks to: the app and the partners; and of what is parked."""

from typing import Final

from kinward.cli.counts import counted
from kinward.cli.doctor.result import PROBE, Result, fault, fine, warn
from kinward.ground.calls_out import Caller, CallFailed, Reach
from kinward.ground.config import config
from kinward.ground.names import visible
from kinward.ground.transport import PLAIN_MAIL, is_database_verified, mail_transport

MOST: Final = 3  # keys that one line names


def check_api_keys() -> Result:
    """Does the app have an API key, and does one need somebody?"""
    from kinward.access.api import ApiKey, keys_in_need

    if not ApiKey.objects.filter(revoked_at=None).exists():
        return warn("There is no API key. Create one with `kinward key create app --for gate`.")
    needs = keys_in_need()
    if not needs:
        return fine("There is an API key.")
    told = " ".join(f"{visible(need.key)}: {visible(need.sentence)}" for need in needs[:MOST])
    more = len(needs) - MOST
    return warn(told + (f" And {more} more. See `kinward key list`." if more > 0 else ""))


def check_waves() -> Result:
    """Did a key suddenly change the ages or places of many accounts?"""
    from kinward.people.api import open_waves

    waves = list(open_waves())
    if not waves:
        return fine("No wave of changed ages or places waits for a person.")
    told = ", ".join(f"{visible(wave.actor)} ({wave.changes:,})" for wave in waves[:MOST])
    return fault(f"Many ages or places changed at once: {told}. See /operations.")


def check_proxies() -> Result:
    """Does Kinward know the proxies in front of it, and its own name?"""
    if config().proxies and not config().public_url:
        return fault(
            f"There is a proxy, but Kinward knows itself only as {config().url}. Set "
            "KINWARD_PUBLIC_URL to the address that people open. Every other name gets HTTP 400."
        )
    if config().proxies:
        return fine(f"Callers' addresses come from {config().trusted_proxies}.")
    if config().secure:
        return warn(
            "Behind a proxy, all people share the limits of its one address. "
            "Name its network in KINWARD_TRUSTED_PROXIES."
        )
    return fine("No proxy is trusted, so the connection's address is the caller's.")


def check_tls() -> Result:
    """Can nobody read what travels to the database, to mail, and between people and Kinward?"""
    chosen = config()
    if not is_database_verified(chosen.database_url):
        return warn(
            "Whoever is on the way to the database can read it, or answer in its place. Take "
            "`sslmode` out of KINWARD_DATABASE_URL, or set it to verify-full."
        )
    if mail_transport(chosen.mail_url) == "plain" and chosen.mail_url.startswith(PLAIN_MAIL):
        return warn("Mail travels in plain text. Take `+plain` out of KINWARD_MAIL_URL.")
    if not chosen.secure:
        return warn(
            "People reach Kinward without TLS. That is for a trial on one machine: put a proxy in "
            "front, and set KINWARD_PUBLIC_URL to the https address."
        )
    try:
        with Caller(limits=PROBE, reach=Reach.OURS) as caller:
            caller.call("GET", f"{chosen.url}/healthz", cut=True)
    except CallFailed as error:
        return fault(f"{chosen.url} cannot be reached over TLS. {error.for_operator}")
    return fine(f"The certificate of {chosen.url} is trusted, and so is the database's way.")


def check_webhook() -> Result:
    """Does the app's webhook answer, and refuse an unsigned message?"""
    if config().actions == "pull":
        return fine(f"Your app fetches its actions. {_secrets()}".strip())
    from kinward.enforcement.api import check_address

    check_address(config())
    try:
        open_text = config().webhook_allow_http
        with Caller(limits=PROBE, reach=Reach.OURS, open_text=open_text) as caller:
            answer = caller.call("POST", config().webhook_url, content=b"{}", cut=True)
    except CallFailed as error:
        return fault(f"{config().webhook_url} does not answer. {error.for_operator}")
    status = answer.status
    if answer.redirects:
        return fault(f"{config().webhook_url} redirects. Set KINWARD_WEBHOOK_URL to the new one.")
    if status < 300:
        return fault("Your webhook accepts unsigned messages. It must verify the signature.")
    if status in (404, 405) or status >= 500:
        return fault(f"{config().webhook_url} answers HTTP {status}. Is the path right?")
    told = f"The webhook answers and refuses unsigned messages (HTTP {status}). {_secrets()}"
    return fine(told.strip())


def _secrets() -> str:
    from kinward.enforcement.api import secret_before

    before = secret_before(config())
    if before is None:
        return ""
    until = f" until {before.until:%Y-%m-%d}" if before.until else ""
    return f"Two secrets sign{until}: give your app the new one."


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
    """Are the partners' lists up to date, and read completely?"""
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
    if skipping := [
        f"{partner.name} ({counted(partner.skips.count, 'record', 'records')})"
        for partner in partners
        if partner.enabled and partner.skips.count
    ]:
        return warn(f"Read, but not completely: {', '.join(skipping)}. See /banks.")
    if not partners:
        return warn("There are no partners. Add one with `kinward exchange add`.")
    return fine(f"Up to date: {', '.join(partner.name for partner in partners)}.")
