import django.db.models.deletion
from django.db import migrations, models

# Whoever was a teen's only guardian reads the reasons as before. Reasons that several guardians
# could read stay with the teen, who did not say whom they are for.
FORWARD = """
INSERT INTO families_ask_readers (ask_id, pairing_id)
    SELECT ask.id, sole.pairing_id
    FROM families_ask AS ask
    JOIN (
        SELECT teen_id, (array_agg(id ORDER BY started_at DESC))[1] AS pairing_id
        FROM families_pairing GROUP BY teen_id HAVING count(DISTINCT guardian_id) = 1
    ) AS sole ON sole.teen_id = ask.teen_id
    WHERE ask.proposed_by_id IS NULL;
"""


class Migration(migrations.Migration):

    dependencies = [("families", "0002_zone_of_accounts")]

    operations = [
        migrations.AddField("answer", "until", models.DateTimeField(null=True)),
        migrations.AddField(
            "ask", "readers", models.ManyToManyField(related_name="+", to="families.pairing")
        ),
        migrations.AddField(
            "extraminutes",
            "pairing",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="families.pairing",
            ),
        ),
        migrations.AddField("extraminutes", "until", models.DateTimeField(null=True)),
        migrations.RunSQL(FORWARD, migrations.RunSQL.noop),
    ]
