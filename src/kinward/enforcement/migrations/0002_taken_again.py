from django.db import migrations


class Migration(migrations.Migration):
    """What a case gave back it may take again."""

    dependencies = [
        ("enforcement", "0001_initial"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="action", name="enforcement_once"),
    ]
