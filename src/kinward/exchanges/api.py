"""The face of `exchanges`: what other rooms may use."""

from kinward.exchanges.changes import Changes, change_exchange, remove_exchange
from kinward.exchanges.kinds import OpinionKind
from kinward.exchanges.models import Exchange
from kinward.exchanges.opinions import decide_false_positive, give_opinion, mark_false_positive
from kinward.exchanges.queries import exchange_health, overdue_exchanges
from kinward.exchanges.services import (
    add_exchange,
    get_exchange,
    live_hashes,
    set_exchange_enabled,
)
from kinward.exchanges.sync import sync_exchange

__all__ = [
    "Changes",
    "Exchange",
    "OpinionKind",
    "add_exchange",
    "change_exchange",
    "decide_false_positive",
    "exchange_health",
    "get_exchange",
    "give_opinion",
    "live_hashes",
    "mark_false_positive",
    "overdue_exchanges",
    "remove_exchange",
    "set_exchange_enabled",
    "sync_exchange",
]
