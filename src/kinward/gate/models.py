"""The answers that are kept for repeated requests."""

from django.db import models

from kinward.access.api import ApiKey


class KeptAnswer(models.Model):
    """The answer to a request that carried an `Idempotency-Key`."""

    api_key = models.ForeignKey(ApiKey, on_delete=models.CASCADE)
    idempotency_key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("api_key", "idempotency_key"), name="gate_idempotency_key_once"
            ),
        )
