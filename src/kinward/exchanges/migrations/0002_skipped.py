from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("exchanges", "0001_initial")]

    operations = [
        migrations.AddField("exchange", "skipped", models.JSONField(default=dict)),
    ]
