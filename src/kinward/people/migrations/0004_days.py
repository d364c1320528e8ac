from django.db import migrations, models

# Decisions read both new columns, so that kinward.ground.watch has to hear when one changes.
FORWARD = """
DROP TRIGGER people_account_changed ON people_account;
CREATE TRIGGER people_account_changed AFTER UPDATE ON people_account
    FOR EACH ROW WHEN (
        (OLD.platform_id, OLD.age_lower, OLD.age_upper, OLD.age_source, OLD.age_assurance,
         OLD.age_changes_on, OLD.age_leap_day, OLD.time_zone, OLD.jurisdiction, OLD.language,
         OLD.standing)
        IS DISTINCT FROM
        (NEW.platform_id, NEW.age_lower, NEW.age_upper, NEW.age_source, NEW.age_assurance,
         NEW.age_changes_on, NEW.age_leap_day, NEW.time_zone, NEW.jurisdiction, NEW.language,
         NEW.standing)
    ) EXECUTE FUNCTION people_tell_account();
"""
BACKWARD = """
DROP TRIGGER people_account_changed ON people_account;
CREATE TRIGGER people_account_changed AFTER UPDATE ON people_account
    FOR EACH ROW WHEN (
        (OLD.platform_id, OLD.age_lower, OLD.age_upper, OLD.age_source, OLD.age_assurance,
         OLD.age_changes_on, OLD.jurisdiction, OLD.language, OLD.standing)
        IS DISTINCT FROM
        (NEW.platform_id, NEW.age_lower, NEW.age_upper, NEW.age_source, NEW.age_assurance,
         NEW.age_changes_on, NEW.jurisdiction, NEW.language, NEW.standing)
    ) EXECUTE FUNCTION people_tell_account();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0003_unread_signals"),
    ]

    operations = [
        migrations.AddField(
            model_name="account",
            name="age_leap_day",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="account",
            name="time_zone",
            field=models.CharField(default="", max_length=64),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
