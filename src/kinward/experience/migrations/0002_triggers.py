from django.db import migrations

# kinward.ground.watch hears of settings, and of what is in force.
FORWARD = """
CREATE FUNCTION experience_tell_setting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'account:' || platform_id) FROM people_account
        WHERE id = COALESCE(NEW.account_id, OLD.account_id);
    RETURN NULL;
END $$;
CREATE TRIGGER experience_setting_changed AFTER INSERT OR UPDATE OR DELETE ON experience_setting
    FOR EACH ROW EXECUTE FUNCTION experience_tell_setting();
CREATE FUNCTION experience_tell_packs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'packs:');
    RETURN NULL;
END $$;
CREATE TRIGGER experience_activation_changed AFTER INSERT OR UPDATE OR DELETE
    ON experience_activation FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
CREATE TRIGGER experience_version_changed AFTER UPDATE OR DELETE
    ON experience_packversion FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
CREATE TRIGGER experience_shadow_changed AFTER INSERT OR DELETE OR UPDATE OF ended_at
    ON experience_shadow FOR EACH STATEMENT EXECUTE FUNCTION experience_tell_packs();
"""
BACKWARD = """
DROP TRIGGER experience_setting_changed ON experience_setting;
DROP TRIGGER experience_activation_changed ON experience_activation;
DROP TRIGGER experience_version_changed ON experience_packversion;
DROP TRIGGER experience_shadow_changed ON experience_shadow;
DROP FUNCTION experience_tell_setting();
DROP FUNCTION experience_tell_packs();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("experience", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
