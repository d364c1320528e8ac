from django.db import migrations, models

# Decisions read the new column, so that kinward.ground.watch has to hear when it changes.
COLUMNS = (
    *("platform_id", "age_lower", "age_upper", "age_source", "age_assurance", "age_changes_on"),
    *("age_leap_day", "time_zone", "jurisdiction", "language", "standing", "consent_withdrawn"),
    "change_consent",
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
        ("people", "0007_changes_of_age"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="deleted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(_trigger([*COLUMNS, "deleted_at"]), _trigger(COLUMNS)),
    ]
