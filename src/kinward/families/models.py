"""The tables of families: visits, pairings, choices, asks, notices and minutes of use."""

import uuid
from typing import Any, Final

from django.db import models
from django.db.models import F, Q

from kinward.people.api import Account


class PortalSession(models.Model):
    """A visit to the family pages: a link that opens once, then a cookie for an hour."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    link_digest = models.BinaryField(unique=True)
    link_expires_at = models.DateTimeField()
    start = models.JSONField(default=dict)  # the first page, and its subject
    made_by = models.CharField(max_length=220)
    made_at = models.DateTimeField(auto_now_add=True)
    opened_at = models.DateTimeField(null=True)
    key_digest = models.BinaryField(null=True, unique=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("link_expires_at",), name="families_portal_old"),)


class Side(models.TextChoices):
    """The side of a pairing that the maker of an invitation takes."""

    GUARDIAN = "guardian"
    TEEN = "teen"
    TRUSTING = "trusting"  # a teen who names another trusted adult


class Invitation(models.Model):
    """A code of eight characters for the other side. Only its keyed digest is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    maker = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    side = models.CharField(max_length=8, choices=Side.choices)
    code_digest = models.BinaryField(unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("maker", "made_at"), name="families_invitations"),)


class WrongCode(models.Model):
    """A failed try at a code or a pass-code. Kept for a day, so that guessing can be limited."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    passcode = models.BooleanField(default=False)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("account", "at"), name="families_wrong_codes"),)


class Home(models.TextChoices):
    """What the teen or a guardian said last about the guardian's home and the teen's others."""

    UNSAID = ""
    APART = "apart"
    TOGETHER = "together"


class Pairing(models.Model):
    """The link between a guardian and a teen. It ends, but is never deleted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    guardian = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="guarding")
    teen = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="guarded")
    started_at = models.DateTimeField(auto_now_add=True)
    ends_at = models.DateTimeField(null=True)  # the teen has ended it; its notice period runs
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=20, default="")
    # Until a reviewer settles the dispute. It outlasts the pairing, which its guardian may end.
    disputed_at = models.DateTimeField(null=True)
    # The guardian notices nothing: what they do looks done, and is held. See `settings.held`.
    quiet = models.BooleanField(default=False, db_default=False)
    reach = models.CharField(max_length=300, default="", db_default="")  # how, and when, safely
    barred_at = models.DateTimeField(null=True)  # not a guardian: the two pair again by a person
    # Until then the guardian tightens time and contact with the teen's yes. See `settings.cooling`.
    cools_until = models.DateTimeField(null=True)
    cools_quietly_until = models.DateTimeField(null=True)  # the same, unnoticed
    # Its guardian and the teen's others see nothing of each other. See `pairing.homes`.
    apart = models.BooleanField(default=False, db_default=False)
    teen_said = models.CharField(max_length=8, choices=Home.choices, default="", db_default="")
    guardian_said = models.CharField(max_length=8, choices=Home.choices, default="", db_default="")
    asleep_since = models.DateTimeField(null=True)  # settled as one that gives no power at present
    # By which proof of the guardian, and by which packs, the choices were settled last.
    settled_proof = models.CharField(max_length=9, default="", db_default="")
    settled_packs = models.CharField(max_length=16, default="", db_default="")
    digest = models.CharField(max_length=200, default="app")  # "app", "off", or a mail address
    digested_at = models.DateTimeField(null=True)
    mails_asks = models.BooleanField(default=False)  # whether the digest's address gets asks too

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("guardian", "teen"),
                condition=Q(ended_at=None),
                name="families_one_pairing",
            ),
            models.CheckConstraint(condition=~Q(guardian=F("teen")), name="families_two_people"),
        )
        ordering = ("started_at", "id")

    def __str__(self) -> str:
        return f"pairing:{self.id}"

    @property
    def held(self) -> list[tuple[str, Any]]:
        """What its guardian chose while it was held, by capability; None takes a choice back."""
        choices = self.choices.filter(held=True, ended_at=None)
        return list(choices.order_by("capability").values_list("capability", "value"))


class GuardianProof(models.Model):
    """How the platform knows that one account is the guardian of another, whether paired or not.

    `evidence` is the platform's own reference to what it saw. Two accounts have one live proof.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    guardian = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="proofs")
    teen = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    method = models.CharField(max_length=9)  # one of `policy.PROOF_METHODS`
    checked_on = models.DateField()
    evidence = models.CharField(max_length=100)
    expires_at = models.DateTimeField(null=True)
    told_by = models.CharField(max_length=220)
    told_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=10, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("guardian", "teen"), condition=Q(ended_at=None), name="families_one_proof"
            ),
            models.CheckConstraint(condition=~Q(guardian=F("teen")), name="families_proof_of_two"),
        )


class Choice(models.Model):
    """One guardian's value for a capability. The choices of all guardians make one setting."""

    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, related_name="choices")
    capability = models.CharField(max_length=80)
    value = models.JSONField()  # as in `experience.models.Setting`
    proof = models.CharField(max_length=9, default="", db_default="")  # the guardian's, at the time
    held = models.BooleanField(default=False, db_default=False)  # shown, and not in force
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=20, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("pairing", "capability", "held"),
                condition=Q(ended_at=None),
                name="families_one_choice",
            ),
        )


class Held(models.TextChoices):
    """What a guardian did to a word while it was held."""

    NOTHING = ""
    ADDED = "added"  # shown, and not in force
    REMOVED = "removed"  # not shown, and in force


class Keyword(models.Model):
    """A word to leave out of a teen's feed and search. The teen added it if there is no pairing."""

    teen = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    word = models.CharField(max_length=40)
    held = models.CharField(max_length=7, choices=Held.choices, default="", db_default="")
    made_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("teen", "word", "pairing"),
                condition=Q(ended_at=None),
                nulls_distinct=False,
                name="families_one_keyword",
            ),
        )
        ordering = ("word",)


class AskState(models.TextChoices):
    """The state of an ask or a proposal."""

    OPEN = "open"
    GRANTED = "granted"
    REFUSED = "refused"
    TALK = "talk"  # "let's talk": answered, but still open
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"
    ENDED = "ended"  # a temporary grant that is over


OPEN_ASKS: Final = (AskState.OPEN, AskState.TALK)


class Ask(models.Model):
    """A teen's ask, or a guardian's proposal (`proposed_by`), with a reason.

    It is for a value of a capability, or for more `minutes` on `day`, the teen's local day.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    teen = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="asks")
    proposed_by = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    capability = models.CharField(max_length=80)
    value = models.JSONField(null=True)
    minutes = models.PositiveSmallIntegerField(null=True)
    day = models.DateField()
    reason = models.CharField(max_length=500)
    # The pairing whose guardian it is addressed to, where homes are apart. Nobody else sees it.
    only_for = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    readers = models.ManyToManyField(Pairing, related_name="+")  # whose guardians read the reason
    state = models.CharField(max_length=10, choices=AskState.choices, default=AskState.OPEN)
    made_at = models.DateTimeField(auto_now_add=True)
    lapses_at = models.DateTimeField()
    granted_by = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    held = models.BooleanField(default=False, db_default=False)  # granted as it looks, not in force
    # The state that it seems to have in a quiet dispute, if that is another: see `settings.looks`.
    looks = models.CharField(max_length=10, choices=AskState.choices, default="", db_default="")

    class Meta:
        indexes = (models.Index(fields=("teen", "-made_at"), name="families_asks"),)
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return f"ask:{self.id}"


class Answer(models.Model):
    """One guardian's answer to an ask, or the teen's to a proposal (without a pairing)."""

    ask = models.ForeignKey(Ask, on_delete=models.PROTECT, related_name="answers")
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    answer = models.CharField(max_length=4)
    note = models.CharField(max_length=500, default="")
    until = models.DateTimeField(null=True)  # the end of a temporary yes
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)


class ExtraMinutes(models.Model):
    """Minutes beyond the limit until a moment, from an ask or from a guardian's pass-code.

    `day` is the local day on which they were given, and `pairing` that of the pass-code's guardian.
    They count while the pairing that gave them gives power. Rows of earlier versions have neither a
    moment nor a pairing. They count on their day.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    minutes = models.PositiveSmallIntegerField()
    ask = models.OneToOneField(Ask, on_delete=models.PROTECT, null=True)
    passcode = models.PositiveSmallIntegerField(null=True)
    pairing = models.ForeignKey(Pairing, on_delete=models.PROTECT, null=True, related_name="+")
    until = models.DateTimeField(null=True)
    held = models.BooleanField(default=False, db_default=False)  # shown, and not in force

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "day", "passcode", "pairing"),
                condition=Q(passcode__isnull=False),
                nulls_distinct=False,
                name="families_passcode_once",
            ),
        )


class TrustedAdult(models.Model):
    """An adult whom a teen named to be called for help. Guardians never see it."""

    teen = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="trusting")
    adult = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    named_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True)  # by the teen, who says that it is the right one
    called_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("teen", "adult"), condition=Q(ended_at=None), name="families_one_trust"
            ),
        )


class Activity(models.Model):
    """How often an account did things on a local day, as counted by the platform. Never content."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    day = models.DateField()
    counts = models.JSONField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "day"), name="families_one_activity"),
        )


class Notice(models.Model):
    """A message to an account: a topic, the values that fill its sentence, and what it asks.

    `receipt`: under this random key the ledger says that it was made. Notices of earlier versions
    have none.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=30)
    fill = models.JSONField(default=dict)
    ask = models.ForeignKey(Ask, on_delete=models.CASCADE, null=True, related_name="+")
    passed_on = models.BooleanField(default=False)
    receipt = models.UUIDField(null=True, default=uuid.uuid4)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=("account", "-at"), name="families_notices"),)
        ordering = ("-at", "-id")


class ActiveHour(models.Model):
    """The minutes of an hour in which an account was in use, as bits: bit 0 is the first minute."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    hour = models.IntegerField()  # hours since 1970-01-01T00:00Z
    bits = models.BigIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "hour"), name="families_one_hour"),
            models.CheckConstraint(
                condition=Q(bits__gte=0, bits__lt=1 << 60), name="families_sixty_minutes"
            ),
        )
        indexes = (models.Index(fields=("hour",), name="families_hour"),)


class ZoneChange(models.Model):
    """The time zone of an account, starting with a minute."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    since = models.BigIntegerField()  # minutes since 1970-01-01T00:00Z
    zone = models.CharField(max_length=64)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "since"), name="families_one_zone"),
        )
