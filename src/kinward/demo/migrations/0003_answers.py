from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("demo", "0002_notice")]

    operations = [
        migrations.AddField("notice", "answers", models.JSONField(default=list)),
    ]
