"""The tables of experience: settings, pack versions, proposals, activations and shadows."""

from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull

from kinward.access import Permission
from kinward.access.api import PROPOSED, TwoPeopleAnywhere
from kinward.people.api import Account


class Layer(models.TextChoices):
    """Whose setting it is: a guardian's, the person's own, or enforcement's.

    What a guardian without power at present chose is asleep: it can only tighten.
    """

    GUARDIAN = "guardian"
    ASLEEP = "asleep"
    SELF = "self"
    ENFORCEMENT = "enforcement"


class Setting(models.Model):
    """A value of one layer for a capability of an account.

    `value` is one value, or a list of seven, Monday first. A setting with `until` is temporary: it
    takes precedence over the permanent one until then. Enforcement's value is always `false`,
    because the capability is withheld.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="settings")
    layer = models.CharField(max_length=11, choices=Layer.choices)
    capability = models.CharField(max_length=80)
    value = models.JSONField()
    set_by = models.CharField(max_length=220)
    set_at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=80, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "layer", "capability"),
                condition=Q(ended_at=None, until=None),
                name="experience_one_setting",
            ),
            models.UniqueConstraint(
                fields=("account", "layer", "capability"),
                condition=Q(ended_at=None, until__isnull=False),
                name="experience_one_passing_setting",
            ),
        )

    def __str__(self) -> str:
        return f"{self.capability} = {self.value!r} by {self.layer}"


class PackVersion(models.Model):
    """The files of a pack at one version. They never change."""

    name = models.CharField(max_length=60)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64)
    files = models.JSONField()
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("name", "version"), name="experience_version_once"),
        )
        ordering = ("-made_at",)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Proposal(TwoPeopleAnywhere):
    """A proposed change of the pack in force, with its simulation. A second person decides it."""

    permission = Permission.CHANGE_POLICY
    words = PROPOSED

    pack = models.ForeignKey(PackVersion, on_delete=models.PROTECT, related_name="proposals")
    base = models.ForeignKey(PackVersion, on_delete=models.PROTECT, related_name="+")
    share = models.PositiveSmallIntegerField(default=100)
    why = models.TextField()
    counted = models.BigIntegerField(default=0)  # accounts simulated so far
    total = models.BigIntegerField(default=0)
    simulation = models.JSONField(null=True)

    class Meta(TwoPeopleAnywhere.Meta):
        constraints = (
            *TwoPeopleAnywhere.Meta.constraints,
            models.UniqueConstraint(
                fields=("pack",), condition=Q(state="asked"), name="experience_one_proposal"
            ),
        )

    def __str__(self) -> str:
        return f"proposal:{self.id}"


class Activation(models.Model):
    """One change of what is in force. The newest holds. `rest` is the pack outside the share."""

    number = models.BigAutoField(primary_key=True)
    pack = models.ForeignKey(PackVersion, on_delete=models.PROTECT, related_name="activations")
    rest = models.ForeignKey(PackVersion, on_delete=models.PROTECT, related_name="+", null=True)
    share = models.PositiveSmallIntegerField(default=100)
    reverts = models.ForeignKey("self", on_delete=models.PROTECT, null=True)
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, null=True)
    actor = models.CharField(max_length=200)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(share__gte=1, share__lte=100)
                & (Q(share=100, rest=None) | Q(share__lt=100, rest__isnull=False)),
                name="experience_share",
            ),
            # People can only activate an approved proposal or revert an activation, also in a
            # shell. Rows of earlier versions, in which an operator could, are not looked at.
            models.CheckConstraint(
                condition=Q(proposal__isnull=False)
                | Q(reverts__isnull=False)
                | Q(actor__startswith="system:"),
                name="experience_nobody_activates_alone",
            ),
            models.UniqueConstraint(
                fields=("proposal",), name="experience_proposal_activates_once"
            ),
        )
        ordering = ("-number",)


class Shadow(models.Model):
    """A pack that decides live requests beside the active one, without effect."""

    pack = models.ForeignKey(PackVersion, on_delete=models.PROTECT, related_name="shadows")
    started_by = models.CharField(max_length=200)
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True)
    asked = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                IsNull(F("ended_at"), rhs=True),
                condition=Q(ended_at=None),
                name="experience_one_shadow",
            ),
        )


class ShadowDifference(models.Model):
    """How often the shadow decided differently, for one age group in one place."""

    shadow = models.ForeignKey(Shadow, on_delete=models.CASCADE, related_name="differences")
    capability = models.CharField(max_length=80)
    group = models.CharField(max_length=20)
    place = models.CharField(max_length=10)
    active = models.CharField(max_length=500)
    shadowed = models.CharField(max_length=500)
    count = models.BigIntegerField(default=0)
    example = models.CharField(max_length=200, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("shadow", "capability", "group", "place", "active", "shadowed"),
                name="experience_difference",
            ),
        )
        ordering = ("-count",)
