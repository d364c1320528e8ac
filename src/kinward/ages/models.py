"""Requests for proofs of age: one for an account and method, each answered once."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from kinward.people.api import Account


class Method(models.TextChoices):
    """How an age is proven."""

    WALLET = "wallet"
    AGEKEY = "agekey"


class Outcome(models.TextChoices):
    """What became of a request. A request that is waiting past its time has expired."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    CONTRADICTED = "contradicted"  # a good proof that does not fit what is known more surely
    REFUSED = "refused"


class ProofRequest(models.Model):
    """A request for a proof of age. Nothing of the proof itself is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="proof_requests")
    method = models.CharField(max_length=8, choices=Method.choices)
    ages = ArrayField(models.PositiveSmallIntegerField())
    state = models.CharField(max_length=64)
    nonce = models.CharField(max_length=64)
    verifier = models.CharField(max_length=64, default="")  # of PKCE
    response_uri = models.CharField(max_length=500, default="")
    # The key of an encrypted answer, sealed. It is forgotten as soon as the answer is taken.
    answer_key = models.TextField(default="")
    expires_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)  # when its one answer came
    outcome = models.CharField(max_length=12, choices=Outcome.choices, default=Outcome.WAITING)
    reason = models.CharField(max_length=30, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("account", "method"), name="ages_one_of_method"),
            models.UniqueConstraint(fields=("state",), name="ages_state_once"),
        )

    def __str__(self) -> str:
        return f"{self.method} {self.id}"
