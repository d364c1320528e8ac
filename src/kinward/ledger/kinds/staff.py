"""Staff, and accounts of the platform."""

from kinward.ledger.kinds.fact import Fact, Words


class StaffInvited(Fact, frozen=True):
    """Somebody was invited to the staff by a link that expires."""

    kind = "staff.invited"
    role: str
    until: str


class StaffInvitationWithdrawn(Fact, frozen=True):
    """An invitation ended before it was taken."""

    kind = "staff.invitation_withdrawn"


class StaffCreated(Fact, frozen=True):
    """Somebody joined the staff, by an invitation of `invited_by`."""

    kind = "staff.created"
    role: str
    invited_by: str = ""


class StaffRoleAsked(Fact, frozen=True):
    """A role was given that has no effect before a present holder of its power confirms it."""

    kind = "staff.role_asked"
    was: str
    role: str


class StaffRoleRefused(Fact, frozen=True):
    """A role that waited for a colleague's word was refused, withdrawn or replaced."""

    kind = "staff.role_refused"
    role: str


class StaffRoleChanged(Fact, frozen=True):
    """Somebody of the staff has another role."""

    kind = "staff.role_changed"
    was: str
    role: str


class StaffSuspended(Fact, frozen=True):
    """Somebody of the staff may do nothing until they are resumed."""

    kind = "staff.suspended"


class StaffResumed(Fact, frozen=True):
    """A suspension ended."""

    kind = "staff.resumed"


class StaffEnded(Fact, frozen=True):
    """Somebody left the staff for good."""

    kind = "staff.ended"


class StaffSignedOut(Fact, frozen=True):
    """All sessions of somebody of the staff ended."""

    kind = "staff.signed_out"


class StaffSignedIn(Fact, frozen=True):
    """Somebody signed in. `how`: with what, in this order. `known`: on a device that did before."""

    kind = "staff.signed_in"
    how: list[str]
    known: bool


class StaffSignInFailed(Fact, frozen=True):
    """A wrong password or code was sent for an account. What a limit refused is no entry."""

    kind = "staff.sign_in_failed"
    what: str
    known: bool


class StaffLinked(Fact, frozen=True):
    """Somebody of the staff was linked to their identity at a provider of single sign-on."""

    kind = "staff.linked"
    issuer: str


class StaffProvisioned(Fact, frozen=True):
    """The provider of single sign-on keeps somebody of the staff up to date, under these names."""

    kind = "staff.provisioned"
    user_name: Words
    external_id: Words


class StaffGroupChanged(Fact, frozen=True):
    """The provider of single sign-on changed who of the staff is in one of its groups."""

    kind = "staff.group_changed"
    name: Words
    added: list[str]
    removed: list[str]


class StaffFactorAdded(Fact, frozen=True):
    """Somebody added a second factor of their own, or made new recovery codes."""

    kind = "staff.factor_added"
    factor: str


class StaffFactorRemoved(Fact, frozen=True):
    """Somebody removed a second factor of their own."""

    kind = "staff.factor_removed"
    factor: str


class StaffAlertRaised(Fact, frozen=True):
    """Something in somebody's work is past its threshold, so another person should look."""

    kind = "staff.alert_raised"
    measure: str
    count: int
    among: int | None


class StaffAlertRead(Fact, frozen=True):
    """Another person looked into an alert about somebody's work."""

    kind = "staff.alert_read"
    alert: int
    measure: str


class StaffFactorResetAsked(Fact, frozen=True):
    """Somebody asked to remove a person's lost second factor."""

    kind = "staff.factor_reset_asked"
    why: Words
    not_before: str


class StaffFactorResetAgreed(Fact, frozen=True):
    """A second person agreed to remove a second factor, once its time has come."""

    kind = "staff.factor_reset_agreed"


class StaffFactorResetRefused(Fact, frozen=True):
    """The removal of a second factor was refused, by a colleague or by its owner."""

    kind = "staff.factor_reset_refused"


class StaffFactorReset(Fact, frozen=True):
    """A second factor was removed. Its owner sets up another one at the next sign-in."""

    kind = "staff.factor_reset"


class AgeProven(Fact, frozen=True):
    """A proof of age was verified. `age` is what is known since, `outcome` whether they agree."""

    kind = "age.proven"
    method: str
    outcome: str
    age: list[int]


class AccountGrown(Fact, frozen=True):
    """A birthday changed what an account may do."""

    kind = "account.grown"
    age: list[int]
    opened: list[str]
    closed: list[str]
    ended: list[str]


class ConsentWithdrawn(Fact, frozen=True):
    """A source said that a guardian's consent was withdrawn, which closes the account."""

    kind = "consent.withdrawn"
    source: str
    at: str


class ConsentGiven(Fact, frozen=True):
    """A guardian's consent was given, over the withdrawals of the sources in `over`."""

    kind = "consent.given"
    source: str
    over: list[str]
    basis: str


class ConsentChange(Fact, frozen=True):
    """A source said what became of a guardian's consent for a significant change of the app."""

    kind = "consent.change"
    source: str
    state: str
    question: str


class AccountTimeZone(Fact, frozen=True):
    """An account moved to a time zone."""

    kind = "account.time_zone"
    zone: str
