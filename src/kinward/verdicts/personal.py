"""What `verdicts` holds of a person: what cases do to hashes and to pairings."""

from collections.abc import Iterator

from kinward.access.api import AgreementState
from kinward.ground.personal import Delay, Holding, Person, delayed_by, holds
from kinward.verdicts.models import Backing, PairingOrder, PairingPause

QUIET = "a case about a family may be quiet"
_PAIRING = ("case__account", "pairing__teen", "pairing__guardian")

holds(
    Holding(
        model=Backing,
        whose=("case__account",),
        ids=(),
        untold="shows how uploads are recognised",
    ),
    Holding(model=PairingPause, whose=_PAIRING, ids=(), acts=("paused_by",), untold=QUIET),
    Holding(model=PairingOrder, whose=(*_PAIRING, "to"), untold=QUIET),
)


@delayed_by
def _ordered(person: Person) -> Iterator[Delay]:
    """An order about a pairing has to be decided."""
    orders = PairingOrder.objects.filter(state=AgreementState.ASKED)
    for lookup in (*_PAIRING, "to"):
        if orders.filter(**{lookup: person.pk}).exists():
            yield Delay("An order about a pairing is not decided.")
            return
