from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("experience", "0003_on_every_road"),
    ]

    operations = [
        migrations.AlterField(
            model_name="setting",
            name="layer",
            field=models.CharField(
                choices=[
                    ("guardian", "Guardian"),
                    ("asleep", "Asleep"),
                    ("self", "Self"),
                    ("enforcement", "Enforcement"),
                ],
                max_length=11,
            ),
        ),
    ]
