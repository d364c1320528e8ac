from django.db import migrations

# Hashes and blocks do not compress, so PostgreSQL does not try.
FORWARD = """
ALTER TABLE matching_heldblock ALTER COLUMN records SET STORAGE EXTERNAL;
"""
BACKWARD = migrations.RunSQL.noop


class Migration(migrations.Migration):

    dependencies = [
        ("matching", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
