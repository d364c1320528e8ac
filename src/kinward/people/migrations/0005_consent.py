import uuid

import django.db.models.deletion
from django.db import migrations, models

# Decisions read the new column, so that kinward.ground.watch has to hear when it changes.
COLUMNS = (
    *("platform_id", "age_lower", "age_upper", "age_source", "age_assurance", "age_changes_on"),
    *("age_leap_day", "time_zone", "jurisdiction", "language", "standing"),
)
TRIGGER = """
DROP TRIGGER people_account_changed ON people_account;
CREATE TRIGGER people_account_changed AFTER UPDATE ON people_account
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION people_tell_account();
"""


def _trigger(columns):
    old = ", ".join(f"OLD.{name}" for name in columns)
    return TRIGGER.format(old=old, new=old.replace("OLD.", "NEW."))


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0004_days"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="consent_withdrawn",
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name="Consent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("apple", "Apple"),
                            ("google-play", "Google"),
                            ("platform", "Platform"),
                        ],
                        max_length=12,
                    ),
                ),
                ("withdrawn", models.BooleanField()),
                ("word", models.UUIDField(default=uuid.uuid4)),
                ("since", models.DateTimeField()),
                ("withdrawn_at", models.DateTimeField(null=True)),
                ("approved_on", models.DateField(null=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="consents",
                        to="people.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("account", "source"), name="people_one_consent"
                    )
                ],
            },
        ),
        migrations.RunSQL(_trigger([*COLUMNS, "consent_withdrawn"]), _trigger(COLUMNS)),
    ]
