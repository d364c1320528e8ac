"""How an ask looks: to a guardian with a quiet dispute and to the teen, and to everybody else.

While a quiet dispute waits, an ask can look otherwise than it is. With `held` it looks granted, and
nothing is in force: for other guardians it is still open. `looks` is another state that it seems to
have, while another guardian's answer holds.
"""

from django.utils import timezone

from kinward.families.models import OPEN_ASKS, Ask, AskState


def state_for(ask: Ask, *, sees: bool) -> AskState:
    """Return the state of an ask for a reader. `sees`: whether what is held is shown to them."""
    state = AskState(ask.looks if sees and ask.looks else ask.state)
    over = state in (AskState.GRANTED, AskState.ENDED)
    if (over and ask.held and not sees) or (sees and ask.looks in OPEN_ASKS):
        return AskState.OPEN if ask.lapses_at > timezone.now() else AskState.LAPSED
    return state


def is_passing(ask: Ask, *, sees: bool) -> bool:
    """Whether a grant is temporary and has not ended. Extra minutes always are temporary."""
    if state_for(ask, sees=sees) != AskState.GRANTED:
        return False
    return ask.minutes is not None or (ask.until is not None and ask.until > timezone.now())
