from django.db import migrations

# The days of an account begin by the zone that it told last.
FORWARD = """
UPDATE people_account SET time_zone = latest.zone
    FROM (
        SELECT DISTINCT ON (account_id) account_id, zone
        FROM families_zonechange ORDER BY account_id, since DESC
    ) AS latest
    WHERE latest.account_id = people_account.id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0001_initial"),
        ("people", "0004_days"),
    ]

    operations = [
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
