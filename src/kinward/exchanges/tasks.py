"""Jobs that sync exchanges and send opinions to partners."""

from kinward.access import Actor
from kinward.exchanges import opinions, services, sync
from kinward.exchanges.models import Exchange
from kinward.ground.jobs import enqueue_once, task
from kinward.ground.lanes import Lane

SYNC = "exchanges.sync"


@task("exchanges.look", every="* * * * *")
def look(timestamp: int) -> None:
    """Enqueue a sync of each exchange that is due."""
    for exchange in services.due():
        enqueue_once(SYNC, exchange.name, name=exchange.name)


@task(SYNC, lock=SYNC, lane=Lane.PARTNERS)
def sync_one(name: str) -> None:
    """Sync one exchange. A failure is shown on its page, and the next sync is due as usual."""
    exchange = Exchange.objects.filter(name=name).first()
    if exchange is None:  # removed meanwhile
        return
    try:
        for _ in sync.sync_exchange(exchange, actor=Actor.system("exchanges")):
            pass
    except (sync.SyncFailed, sync.SyncRunning):
        return


@task(opinions.SEND, lane=Lane.OPINIONS)
def send_opinion(opinion_id: int) -> None:
    """Send one opinion."""
    opinions.send(opinion_id)


@task("exchanges.mark_due_alone", every="* * * * *")
def mark_due_alone(timestamp: int) -> None:
    """Make the marks of verified hashes on which nobody else can decide."""
    opinions.mark_due_alone()
