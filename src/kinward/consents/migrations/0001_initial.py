import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("people", "0005_consent"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoreNotification",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(max_length=60)),
                (
                    "fate",
                    models.CharField(
                        choices=[
                            ("applied", "Applied"),
                            ("waiting", "Waiting"),
                            ("unreadable", "Unreadable"),
                            ("counted", "Counted"),
                        ],
                        max_length=10,
                    ),
                ),
                ("digest", models.BinaryField(null=True)),
                ("signed_at", models.DateTimeField()),
                ("received_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["digest"], name="consents_of_download"),
                    models.Index(fields=["received_at"], name="consents_received"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AppDownload",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("digest", models.BinaryField()),
                ("linked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="people.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("digest", "account"), name="consents_download_once"
                    )
                ],
            },
        ),
    ]
