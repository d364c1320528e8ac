"""The stored accounts as a population for simulations, one part at a time."""

from collections.abc import Iterator

import numpy as np

from kinward.experience.changes import brought_by_change
from kinward.experience.models import Layer, Setting
from kinward.people.api import Account
from kinward.policy import Pack
from kinward.policy.api import NONE, People, Settings, people_of

PART = 50_000


def count_accounts() -> int:
    """Count the accounts."""
    return Account.objects.count()


def stored_people(pack: Pack) -> Iterator[People]:
    """Yield all accounts in parts of at most `PART`, with their permanent settings as codes.

    Settings that a pack does not know, or cannot read, are left out.
    """
    last = 0
    ages = ("age_lower", "age_upper", "age_assurance")
    fields = ("pk", "platform_id", *ages, "jurisdiction", "created_at")
    consent = ("consent_withdrawn", "change_consent")
    while rows := list(
        Account.objects.filter(pk__gt=last).order_by("pk").values_list(*fields, *consent)[:PART]
    ):
        last = rows[-1][0]
        (pks, ids, lower, upper, assurance, jurisdiction, created_at, withdrawn, change) = zip(
            *rows, strict=True
        )
        people = people_of(
            {
                "id": ids,
                "age_lower": np.array(lower),
                "age_upper": np.array(upper),
                "assurance": assurance,
                "jurisdiction": jurisdiction,
            }
        )
        people.joined = np.array([at.toordinal() for at in created_at], np.int64)
        people.withdrawn = np.array(withdrawn, bool)
        people.change, people.brings = np.array([*map(bool, change)]), brought_by_change()
        people.settings = _settings(pack, {pk: row for row, pk in enumerate(pks)})
        yield people


def _settings(pack: Pack, rows: dict[int, int]) -> dict[int, Settings]:
    settings: dict[int, dict[str, list[int]]] = {}
    first, last = min(rows), max(rows)
    for setting in Setting.objects.filter(
        account_id__gte=first,
        account_id__lte=last,
        ended_at=None,
        until=None,
        layer__in=(Layer.GUARDIAN, Layer.SELF),
    ).order_by("capability"):
        capability = pack.capabilities.get(setting.capability)
        row = rows.get(setting.account_id)
        if capability is None or row is None:
            continue
        codes = settings.setdefault(row, {}).setdefault(setting.capability, [NONE, NONE])
        try:
            codes[setting.layer == Layer.SELF] = capability.kind.code_on(setting.value, None)
        except ValueError:
            continue
    return {
        row: tuple((name, codes[0], codes[1]) for name, codes in sorted(by_capability.items()))
        for row, by_capability in settings.items()
    }
