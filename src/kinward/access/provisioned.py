"""The rows of SCIM: people and groups that the provider of single sign-on keeps up to date here."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from kinward.access.models import Staff


class ProvisionedPerson(models.Model):
    """Somebody of the staff whom the provider added by SCIM, and may end.

    `subject` is who signs in as this person. It is the first `external_id`, and changes only while
    the person holds no role, so that no change hands a role to somebody else.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    staff = models.OneToOneField(Staff, on_delete=models.PROTECT, related_name="provisioned")
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255)  # what the provider calls the person now
    user_name = models.CharField(max_length=150)  # the same, in words; the ledger has the first
    key = models.CharField(max_length=80)  # that last said something of the person or a group
    active = models.BooleanField(default=True)  # the provider's last word
    suspended = models.BooleanField(default=False)  # by that word, and not by a person
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("issuer", "subject"), name="access_provisioned_once"),
            models.UniqueConstraint(
                fields=("issuer", "external_id"),
                condition=Q(deleted_at=None),
                name="access_one_external_id",
            ),
            models.UniqueConstraint(
                "issuer",
                Lower("user_name"),
                condition=Q(deleted_at=None),
                name="access_one_user_name",
            ),
        )

    def __str__(self) -> str:
        return f"provisioned:{self.user_name}"


class ProvisionedGroup(models.Model):
    """A group at the provider. Its name or its `external_id` gives a role, if a setting says so."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    issuer = models.CharField(max_length=500, db_index=True)
    name = models.CharField(max_length=255)
    external_id = models.CharField(max_length=255, blank=True)
    people = models.ManyToManyField(ProvisionedPerson, related_name="groups")
    made_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"group:{self.name}"
