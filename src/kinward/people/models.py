"""The table of accounts: the platform's id, an age range, a place, a language, a standing."""

import uuid
from typing import cast

from django.db import models
from django.db.models import F, Q

from kinward.access import Actor
from kinward.access.api import Staff
from kinward.ground.text import MAX_ID
from kinward.policy import AgeRange, Assurance, ChangeState


class Standing(models.TextChoices):
    """Whether the account may be used."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"


class ChangeConsent(models.TextChoices):
    """Why an account may not do what a significant change of the app brings."""

    ASKED = "asked"
    REFUSED = "refused"


class Account(models.Model):
    """A user of the platform. Kinward needs no name, e-mail or birth date, and stores none."""

    platform_id = models.CharField(max_length=MAX_ID, unique=True)
    # [lower, upper) in years; the widest range means that nothing is known.
    age_lower = models.PositiveSmallIntegerField(default=0)
    age_upper = models.PositiveSmallIntegerField(default=150)
    age_source = models.CharField(max_length=40, default="unknown")
    age_assurance = models.CharField(max_length=20, default="none")
    jurisdiction = models.CharField(max_length=10, default="")
    language = models.CharField(max_length=20, default="")
    screen_name = models.CharField(max_length=200, default="")
    # How strong a word has to be to make them older; empty: as strong as `age_assurance`.
    age_strength = models.CharField(max_length=20, default="", db_default="")
    age_changes_on = models.DateField(null=True, db_index=True)
    # `age_changes_on` is 29 February, or 1 March in a year without one.
    age_leap_day = models.BooleanField(default=False)
    # The birthday of which they were told ahead.
    growth_told_for = models.DateField(null=True)
    time_zone = models.CharField(max_length=64, default="")  # IANA; without one, UTC
    standing = models.CharField(max_length=12, choices=Standing.choices, default=Standing.ACTIVE)
    # Whether the latest word of any source is that consent was withdrawn: see `Consent`.
    consent_withdrawn = models.BooleanField(default=False)
    # What became of the consent for a significant change, while some source has not said "given".
    change_consent = models.CharField(max_length=7, default="", choices=ChangeConsent.choices)
    # The platform said that the account was deleted. The row stays for what refers to it.
    deleted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(age_lower__lt=F("age_upper")), name="people_age_range_ordered"
            ),
        )

    def __str__(self) -> str:
        return self.platform_id

    @property
    def is_active(self) -> bool:
        """Whether the account may be used: neither sanctioned nor deleted."""
        return self.standing == Standing.ACTIVE and self.deleted_at is None

    @property
    def is_gone(self) -> bool:
        """Whether the account is terminated or deleted."""
        return self.standing == Standing.TERMINATED or self.deleted_at is not None

    @property
    def age(self) -> AgeRange:
        """The stored age range, with its source and its assurance."""
        return AgeRange(
            self.age_lower,
            self.age_upper,
            self.age_source,
            cast("Assurance", self.age_assurance),
            self.age_changes_on,
            self.age_leap_day,
        )

    @property
    def strength(self) -> Assurance:
        """How strong a word has to be to make this person older."""
        return cast("Assurance", self.age_strength or self.age_assurance)

    @property
    def actor(self) -> Actor:
        """The account as an actor, for itself or for its family."""
        return Actor.account(self.platform_id)


class ConsentSource(models.TextChoices):
    """Who speaks of a guardian's consent."""

    APPLE = "apple"  # the App Store's signed notifications, and PermissionKit, as passed on
    GOOGLE = "google-play"  # Play Age Signals, as the platform passes them on
    PLATFORM = "platform"  # the platform itself, through the API


class Matter(models.TextChoices):
    """What a guardian consents to."""

    APP = "app"  # that the child uses the app
    CHANGE = "change"  # what a significant change of the app brings


class Consent(models.Model):
    """The latest word of one source on the consent for an account, in one matter.

    The account is closed while any of its sources says that consent was withdrawn. What a change
    brings is closed while any of its sources says that consent to it was asked or refused.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="consents")
    source = models.CharField(max_length=12, choices=ConsentSource.choices)
    matter = models.CharField(max_length=6, choices=Matter.choices, default=Matter.APP)
    # Consent is not there: it was withdrawn, or for a change it was refused, or only asked.
    withdrawn = models.BooleanField()
    asked = models.BooleanField(default=False)
    # The platform's name of the question about a change. Only its own answer counts.
    question = models.CharField(max_length=64, default="")
    # New for each word, so that whoever answers a withdrawal names the one that they mean.
    word = models.UUIDField(default=uuid.uuid4)
    since = models.DateTimeField()
    # The source's own time of its latest withdrawal. An older one is late, and says nothing new.
    withdrawn_at = models.DateTimeField(null=True)
    # The newest approval that Google Play has named. Only a newer one gives consent back.
    approved_on = models.DateField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "source", "matter"), name="people_one_consent_in_a_matter"
            ),
        )

    def __str__(self) -> str:
        return f"{self.source}, {self.matter}: {'withdrawn' if self.withdrawn else 'given'}"

    @property
    def change(self) -> ChangeState | None:
        """What became of the consent for a change, if the word is about one."""
        if self.matter != Matter.CHANGE:
            return None
        if not self.withdrawn:
            return "given"
        return "asked" if self.asked else "refused"


class UnreadSignal(models.Model):
    """What the adapter of an age signal did not know: one row for each source and thing.

    The words come from Apple, Google or a wallet, not from a person.
    """

    source = models.CharField(max_length=20)
    words = models.CharField(max_length=60)
    first_on = models.DateField()
    last_on = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("source", "words"), name="people_unread_once"),
        )

    def __str__(self) -> str:
        return f"{self.source}: {self.words}"


class Identifier(models.Model):
    """A keyed hash of something that several accounts of one person share, such as a device.

    `digest` is an HMAC, so nobody can read or guess an address or a number from it.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=10)
    digest = models.BinaryField()
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("digest", "account"), name="people_identifier_once"),
        )

    def __str__(self) -> str:
        return f"{self.kind} {bytes(self.digest).hex()[:12]}"


class Change(models.Model):
    """The last time that an actor changed an account's age or place. Kept for a day."""

    actor = models.CharField(max_length=200)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="changes")
    at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("actor", "account"), name="people_change_once"),
        )
        indexes = (models.Index(fields=("actor", "at"), name="people_changed_lately"),)

    def __str__(self) -> str:
        return f"{self.actor} {self.at:%Y-%m-%d %H:%M}"


class ChangeWave(models.Model):
    """An alarm: an actor suddenly changed many accounts. It is open until somebody looked."""

    actor = models.CharField(max_length=200)
    began_at = models.DateTimeField()
    last_at = models.DateTimeField()
    changes = models.PositiveIntegerField()
    looked_at = models.DateTimeField(null=True)
    looked_by = models.ForeignKey(Staff, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("actor",), condition=Q(looked_at=None), name="people_one_open_wave"
            ),
        )

    def __str__(self) -> str:
        return f"{self.actor} {self.began_at:%Y-%m-%d %H:%M}"
