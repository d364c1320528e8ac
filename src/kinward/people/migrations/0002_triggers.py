from django.db import migrations

# kinward.ground.watch hears what decisions read of an account; a new account is in no cache.
FORWARD = """
CREATE FUNCTION people_tell_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'account:' || OLD.platform_id);
    RETURN NULL;
END $$;
CREATE TRIGGER people_account_changed AFTER UPDATE ON people_account
    FOR EACH ROW WHEN (
        (OLD.platform_id, OLD.age_lower, OLD.age_upper, OLD.age_source, OLD.age_assurance,
         OLD.age_changes_on, OLD.jurisdiction, OLD.language, OLD.standing)
        IS DISTINCT FROM
        (NEW.platform_id, NEW.age_lower, NEW.age_upper, NEW.age_source, NEW.age_assurance,
         NEW.age_changes_on, NEW.jurisdiction, NEW.language, NEW.standing)
    ) EXECUTE FUNCTION people_tell_account();
CREATE TRIGGER people_account_gone AFTER DELETE ON people_account
    FOR EACH ROW EXECUTE FUNCTION people_tell_account();
"""
BACKWARD = """
DROP TRIGGER people_account_changed ON people_account;
DROP TRIGGER people_account_gone ON people_account;
DROP FUNCTION people_tell_account();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
