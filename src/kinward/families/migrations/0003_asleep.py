import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0002_zone_of_accounts"),
    ]

    operations = [
        migrations.AddField(
            model_name="extraminutes",
            name="pairing",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="families.pairing",
            ),
        ),
        migrations.AddField(
            model_name="pairing",
            name="asleep_since",
            field=models.DateTimeField(null=True),
        ),
    ]
