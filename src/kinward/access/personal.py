"""What `access` holds of a person who uses the platform: nothing but what an operator typed."""

from kinward.access.joining import Appointment, FactorReset, StaffInvitation
from kinward.access.log_key import LogKeyChange
from kinward.access.models import (
    ApiKey,
    BrokenGlass,
    KeyUse,
    RecentAttempts,
    Refusal,
    Staff,
    StaffIdentity,
)
from kinward.access.provisioned import ProvisionedGroup, ProvisionedPerson
from kinward.ground.personal import ERASED, Going, holds_nobody, scrubbed_by

holds_nobody("what an operator did alone; `forget_words` empties it by the request", BrokenGlass)
holds_nobody("staff, who are no accounts of the platform", Staff, StaffIdentity)
holds_nobody("operators, and keys of the ledger", LogKeyChange)
holds_nobody("staff and their roles", Appointment, FactorReset, StaffInvitation)
holds_nobody("staff, as an identity provider named them", ProvisionedGroup, ProvisionedPerson)
holds_nobody("keys of the platform, and how often they were used", ApiKey, KeyUse)
holds_nobody("counts of attempts and refusals", RecentAttempts, Refusal)


@scrubbed_by
def forget_words(going: Going) -> None:
    """Empty what a row about an act done alone says in words, if its request goes.

    By the request and not by the words: an account may be called like any word of another act.
    """
    for row in BrokenGlass.objects.exclude(about=ERASED):
        if row.request.partition(":")[2] in going.ids:
            row.about = ERASED
            row.save(update_fields=["about"])
