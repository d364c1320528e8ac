from django.db import migrations, models

# Also a new key is told of: who knows all live keys knows which others are unknown.
FORWARD = """
DROP TRIGGER access_key_changed ON access_apikey;
CREATE TRIGGER access_key_changed AFTER INSERT OR UPDATE OR DELETE ON access_apikey
    FOR EACH ROW EXECUTE FUNCTION access_tell_key();
"""
BACKWARD = """
DROP TRIGGER access_key_changed ON access_apikey;
CREATE TRIGGER access_key_changed AFTER UPDATE OR DELETE ON access_apikey
    FOR EACH ROW EXECUTE FUNCTION access_tell_key();
"""


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0002_triggers"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.CreateModel(
            name="Refusal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("minute", models.DateTimeField()),
                ("reason", models.CharField(max_length=60)),
                ("count", models.BigIntegerField(default=0)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("minute", "reason"), name="access_refusal_once")],
            },
        ),
    ]
