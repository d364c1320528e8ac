"""Durable jobs: delivery, expired sanctions, birthdays and family notices."""

from uuid import UUID

from django.db import transaction

from kinward.access import Actor
from kinward.enforcement import sanctions, services
from kinward.experience.api import apply_birthday, birthdays_due
from kinward.families.api import (
    NOTICE_MADE,
    Notice,
    end_choices,
    end_due_pairings,
    links_of_notice,
    notice_sentence,
    weigh_family,
)
from kinward.ground.jobs import task
from kinward.ground.lanes import Lane
from kinward.ledger.api import receipt_address


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
                if growth.opened or growth.closed or growth.ended:
                    services.notify_account(
                        account=account,
                        notice={
                            "topic": "growing_up",
                            "language": account.language,
                            "opened": growth.opened,
                            "closed": growth.closed,
                            "ended": growth.ended,
                        },
                        actor=Actor.system("enforcement"),
                    )
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
