import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("families", "0003_grants")]

    operations = [
        migrations.AddField(
            "notice",
            "ask",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="families.ask",
            ),
        ),
        migrations.AddField("pairing", "mails_asks", models.BooleanField(default=False)),
    ]
