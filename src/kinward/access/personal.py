"""What `access` holds of a person who uses the platform: nothing but what an operator typed."""

import re

from django.db.models import Q

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
from kinward.ground.personal import ERASED, Holding, Person, holds, holds_nobody


def _named(person: Person) -> Q:
    return Q(about__regex=rf"(^|\W){re.escape(person.platform_id)}(\W|$)")


holds(
    Holding(
        model=BrokenGlass,
        also=_named,
        blank={"about": ERASED},
        ids=(),
        untold="what an operator did alone",
    )
)
holds_nobody("staff, who are no accounts of the platform", Staff, StaffIdentity)
holds_nobody("operators, and keys of the ledger", LogKeyChange)
holds_nobody("staff and their roles", Appointment, FactorReset, StaffInvitation)
holds_nobody("staff, as an identity provider named them", ProvisionedGroup, ProvisionedPerson)
holds_nobody("keys of the platform, and how often they were used", ApiKey, KeyUse)
holds_nobody("counts of attempts and refusals", RecentAttempts, Refusal)
