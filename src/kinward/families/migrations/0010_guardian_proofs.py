import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0009_asleep"),
    ]

    operations = [
        migrations.AddField(
            model_name="pairing",
            name="settled_proof",
            field=models.CharField(db_default="", default="", max_length=9),
        ),
        migrations.AddField(
            model_name="pairing",
            name="settled_packs",
            field=models.CharField(db_default="", default="", max_length=16),
        ),
        migrations.AddField(
            model_name="choice",
            name="proof",
            field=models.CharField(db_default="", default="", max_length=9),
        ),
        migrations.CreateModel(
            name="GuardianProof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ("method", models.CharField(max_length=9)),
                ("checked_on", models.DateField()),
                ("evidence", models.CharField(max_length=100)),
                ("expires_at", models.DateTimeField(null=True)),
                ("told_by", models.CharField(max_length=220)),
                ("told_at", models.DateTimeField(auto_now_add=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("ended_why", models.CharField(default="", max_length=10)),
                (
                    "guardian",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="proofs",
                        to="people.account",
                    ),
                ),
                (
                    "teen",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="people.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("guardian", "teen"),
                        name="families_one_proof",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("guardian", models.F("teen")), _negated=True
                        ),
                        name="families_proof_of_two",
                    ),
                ],
            },
        ),
    ]
