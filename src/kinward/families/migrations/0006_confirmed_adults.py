from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("families", "0005_wrong_passcodes"),
    ]

    operations = [
        migrations.AddField(
            model_name="trustedadult",
            name="confirmed_at",
            field=models.DateTimeField(null=True),
        ),
        # Whoever was named before was not asked for it, and stays as the teen named them.
        migrations.RunSQL(
            "UPDATE families_trustedadult SET confirmed_at = named_at",
            migrations.RunSQL.noop,
        ),
    ]
