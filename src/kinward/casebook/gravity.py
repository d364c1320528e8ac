"""The gravity of everything that Kinward does to somebody, or with evidence. Pure.

Each act is declared once, with its gravity. A grave act needs a warrant, and the rule sits where
the act is carried out: see `evidence.warrants`.
"""

from enum import StrEnum
from typing import Final


class Gravity(StrEnum):
    """How much an act weighs."""

    REVERSIBLE = "reversible"  # it can be given back, and protects at once
    GRAVE = "grave"  # nobody does it on one person's unseen word
    IRREVERSIBLE = "irreversible"  # nothing gives it back


class Act(StrEnum):
    """One thing that Kinward does to somebody, or with evidence.

    `gravity` says how much it weighs. A member without one cannot be declared.
    """

    gravity: Gravity

    def __new__(cls, value: str, gravity: Gravity) -> "Act":
        """Create a member from its name and its gravity."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.gravity = gravity
        return member

    QUARANTINE = "content.quarantine", Gravity.REVERSIBLE
    REMOVE = "content.remove", Gravity.REVERSIBLE
    RESTORE = "restore", Gravity.REVERSIBLE
    RESTRICT = "account.restrict", Gravity.REVERSIBLE
    SUSPEND = "account.suspend", Gravity.REVERSIBLE
    NOTIFY = "notice.notify", Gravity.REVERSIBLE
    STRIKE = "account.strike", Gravity.REVERSIBLE
    SILENCE = "statement.silence", Gravity.REVERSIBLE  # for at most `SHORT_SILENCE_DAYS`
    TERMINATE = "account.terminate", Gravity.GRAVE
    # By a verdict, without an end or for more than a year: to whom it happens, an end.
    SUSPEND_LONG = "account.suspend_long", Gravity.GRAVE
    REPORT = "report.file", Gravity.GRAVE
    BLOCK_REGISTRATION = "registration.block", Gravity.GRAVE
    REMOVE_EVERYWHERE = "content.remove_everywhere", Gravity.GRAVE
    BANK = "hashes.bank", Gravity.GRAVE  # copies are found on every account from then on
    LONG_SILENCE = "statement.long_silence", Gravity.GRAVE
    DISMISS_MATCH = "match.dismiss", Gravity.GRAVE  # an exact one of a verified list
    LEAVE_UNREPORTED = "report.leave_out", Gravity.GRAVE  # a verified match confirmed as less
    END_HOLD = "hold.end", Gravity.GRAVE
    DESTROY = "evidence.destroy", Gravity.IRREVERSIBLE
    HAND_OVER = "records.hand_over", Gravity.IRREVERSIBLE
    ERASE = "account.erase", Gravity.IRREVERSIBLE


SHORT_SILENCE_DAYS: Final = 90
# What always takes a second person, whatever the decider saw.
TWO_PEOPLE: Final = frozenset(
    {
        *(Act.LONG_SILENCE, Act.DISMISS_MATCH, Act.LEAVE_UNREPORTED, Act.END_HOLD),
        *(act for act in Act if act.gravity is Gravity.IRREVERSIBLE),
    }
)
# What takes a second person if nothing speaks for it but one user report.
NOT_ON_ONE_WORD: Final = frozenset({Act.TERMINATE, Act.SUSPEND_LONG, Act.REPORT})
ENDS: Final = frozenset({Act.TERMINATE, Act.SUSPEND_LONG})  # a life online, as far as we can
