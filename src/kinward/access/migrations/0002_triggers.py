from django.db import migrations

# kinward.ground.watch hears that a key was revoked.
FORWARD = """
CREATE FUNCTION access_tell_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('kinward_changes', 'keys:');
    RETURN NULL;
END $$;
CREATE TRIGGER access_key_changed AFTER UPDATE OR DELETE ON access_apikey
    FOR EACH ROW EXECUTE FUNCTION access_tell_key();
"""
BACKWARD = """
DROP TRIGGER access_key_changed ON access_apikey;
DROP FUNCTION access_tell_key();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
