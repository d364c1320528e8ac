from django.db import migrations, models

# Decisions read the new column, so that kinward.ground.watch has to hear when it changes.
COLUMNS = (
    *("platform_id", "age_lower", "age_upper", "age_source", "age_assurance", "age_changes_on"),
    *("age_leap_day", "time_zone", "jurisdiction", "language", "standing", "consent_withdrawn"),
)
TRIGGER = """
DROP TRIGGER people_account_changed ON people_account;
CREATE TRIGGER people_account_changed AFTER UPDATE ON people_account
    FOR EACH ROW WHEN (({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION people_tell_account();
"""
# What Google Play denies was always a significant change. The account stays closed, since nobody
# has said yet what the change brings.
GOOGLE = """
UPDATE people_consent SET matter = 'change' WHERE source = 'google-play';
UPDATE people_account SET change_consent = 'refused', consent_withdrawn = EXISTS (
    SELECT FROM people_consent AS other
    WHERE other.account_id = people_account.id AND other.withdrawn AND other.matter = 'app'
) WHERE EXISTS (
    SELECT FROM people_consent AS word
    WHERE word.account_id = people_account.id AND word.withdrawn AND word.matter = 'change'
);
"""
BACK = """
UPDATE people_account SET consent_withdrawn = true WHERE change_consent <> '';
DELETE FROM people_consent WHERE matter = 'change' AND source <> 'google-play';
UPDATE people_consent SET matter = 'app';
"""


def _trigger(columns):
    old = ", ".join(f"OLD.{name}" for name in columns)
    return TRIGGER.format(old=old, new=old.replace("OLD.", "NEW."))


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0005_consent"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="change_consent",
            field=models.CharField(
                choices=[("asked", "Asked"), ("refused", "Refused")], default="", max_length=7
            ),
        ),
        migrations.AddField(
            model_name="consent",
            name="matter",
            field=models.CharField(
                choices=[("app", "App"), ("change", "Change")], default="app", max_length=6
            ),
        ),
        migrations.AddField(
            model_name="consent",
            name="asked",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="consent",
            name="question",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.RemoveConstraint(model_name="consent", name="people_one_consent"),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                fields=("account", "source", "matter"), name="people_one_consent_in_a_matter"
            ),
        ),
        migrations.RunSQL(GOOGLE, BACK),
        migrations.RunSQL(_trigger([*COLUMNS, "change_consent"]), _trigger(COLUMNS)),
    ]
