"""The clauses of the community guidelines that a verdict can name, and what each is reported as."""

from typing import Final

import msgspec
from django.utils.translation import gettext_noop

from kinward.reporting.draft import Incident


class Clause(msgspec.Struct, frozen=True):
    """One clause: its number, its plain-language text, and the kind of incident it is."""

    code: str
    title: str
    text: str
    incident: Incident


CLAUSES: Final = {
    clause.code: clause
    for clause in (
        Clause(
            "CS-1",
            gettext_noop("No child sexual abuse material"),
            gettext_noop(
                "Pictures or films that sexually exploit a child are removed, the account is "
                "ended, and the authorities are told."
            ),
            "imagery",
        ),
        Clause(
            "CS-2",
            gettext_noop("No grooming or enticement"),
            gettext_noop(
                "Nobody may seek a child out for sexual ends, on the platform or away from it."
            ),
            "enticement",
        ),
        Clause(
            "CS-3",
            gettext_noop("No trafficking"),
            gettext_noop("Nobody may offer, seek or arrange the sexual exploitation of a child."),
            "trafficking",
        ),
    )
}
