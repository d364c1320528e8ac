"""Durable jobs: delivery, expired sanctions, birthdays and family notices."""

from typing import Any, Final
from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.enforcement import sanctions, services
from kinward.experience.api import (
    Growth,
    apply_birthday,
    birthdays_due,
    growth_ahead,
    growths_ahead,
)
from kinward.families.api import (
    NOTICE_MADE,
    Notice,
    end_choices,
    end_due_pairings,
    links_of_notice,
    notice_sentence,
    tell_guardians_of_growth,
    weigh_family,
)
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane
from kinward.ledger.api import receipt_address
from kinward.people.api import LockedAccount

SOON_BATCHES: Final = 20


@task(services.DELIVER, lane=Lane.APP)
def deliver(action_id: str) -> None:
    """Deliver one action."""
    services.deliver(UUID(action_id))


@task("enforcement.send_forgotten", every="*/10 * * * *")
def send_forgotten(timestamp: int) -> None:
    """Send actions from a time when the platform fetched them, if it no longer does."""
    services.send_forgotten()


@task("enforcement.end_due", every="* * * * *")
def end_due(timestamp: int) -> None:
    """Lift expired sanctions."""
    sanctions.end_due()


@task("enforcement.grow_soon", every="5-59/10 * * * *")
def grow_soon(timestamp: int) -> None:
    """Tell whoever has a birthday within 30 days what it will change, if anything.

    At most 10,000 accounts at a time, each in a transaction of its own.
    """
    for _ in range(SOON_BATCHES):
        account_ids = growths_ahead()
        for account_id in account_ids:
            with transaction.atomic():
                ahead = growth_ahead(account_id)
                if ahead is None:
                    continue
                account, day, growth = ahead
                if growth.changes:
                    _tell_growth(account, growth, {"topic": "growing_soon", "day": day.isoformat()})
                    tell_guardians_of_growth(account)
        if not account_ids:
            return


def _tell_growth(account: LockedAccount, growth: Growth, notice: dict[str, Any]) -> None:
    changes = {"opened": growth.opened, "closed": growth.closed, "ended": growth.ended}
    services.notify_account(
        account=account,
        notice={**notice, "language": account.language, **changes},
        actor=Actor.system("enforcement"),
    )


@task("enforcement.grow_up", every="*/10 * * * *")
def grow_up(timestamp: int) -> None:
    """Apply birthdays that are due, including any missed while the worker was down.

    Each account has a transaction of its own, which includes the notice to the person.
    """
    while account_ids := birthdays_due():
        for account_id in account_ids:
            with transaction.atomic():
                grown = apply_birthday(account_id)
                if grown is None:
                    continue
                account, growth = grown
                end_choices(account, growth.ended, "grown up")
                if growth.changes:
                    _tell_growth(account, growth, {"topic": "growing_up"})
            end_due_pairings(account_id)
            weigh_family(account_id, anyway=True)


@NOTICE_MADE.job("enforcement.tell")
def tell(notice_id: int) -> None:
    """Have the platform pass on a notice to a guardian or a teen."""
    with transaction.atomic():
        notice = Notice.objects.select_related("account", "ask").filter(pk=notice_id).first()
        if notice is not None and not notice.passed_on:
            text = {"language": notice.account.language, "sentence": notice_sentence(notice)}
            links = links_of_notice(notice)
            if notice.receipt is not None:
                text["receipt"] = receipt_address(notice.receipt)
            services.notify_account(
                account=notice.account,
                notice={"topic": notice.topic, **text, **({"answers": links} if links else {})},
                actor=Actor.system("enforcement"),
            )
            notice.passed_on = True
            notice.save(update_fields=["passed_on"])
