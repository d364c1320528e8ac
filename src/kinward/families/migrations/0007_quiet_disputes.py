from django.db import migrations, models
from django.db.models import Q

# A dispute that was settled is one no more. What a person ended then, takes a person to begin.
SETTLED = """
UPDATE families_pairing SET barred_at = ended_at
    WHERE ended_at IS NOT NULL AND ended_why = 'not a guardian';
UPDATE families_pairing SET disputed_at = NULL WHERE ended_at IS NOT NULL;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0006_confirmed_adults"),
    ]

    operations = [
        migrations.AddField(
            model_name="pairing",
            name="quiet",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="pairing",
            name="reach",
            field=models.CharField(db_default="", default="", max_length=300),
        ),
        migrations.AddField(
            model_name="pairing",
            name="barred_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="choice",
            name="held",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RemoveConstraint(model_name="choice", name="families_one_choice"),
        migrations.AddConstraint(
            model_name="choice",
            constraint=models.UniqueConstraint(
                condition=Q(ended_at=None),
                fields=("pairing", "capability", "held"),
                name="families_one_choice",
            ),
        ),
        migrations.AddField(
            model_name="keyword",
            name="held",
            field=models.CharField(
                choices=[("", "Nothing"), ("added", "Added"), ("removed", "Removed")],
                db_default="",
                default="",
                max_length=7,
            ),
        ),
        migrations.AddField(
            model_name="ask",
            name="held",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="ask",
            name="looks",
            field=models.CharField(
                choices=[
                    ("open", "Open"),
                    ("granted", "Granted"),
                    ("refused", "Refused"),
                    ("talk", "Talk"),
                    ("lapsed", "Lapsed"),
                    ("withdrawn", "Withdrawn"),
                    ("ended", "Ended"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="extraminutes",
            name="held",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.RunSQL(SETTLED, migrations.RunSQL.noop),
    ]
