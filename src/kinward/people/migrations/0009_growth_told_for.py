from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0008_deleted"),
    ]

    operations = [
        migrations.AddField("account", "growth_told_for", models.DateField(null=True)),
    ]
