"""Somebody may have several roles. Whoever has one keeps it."""

import django.contrib.postgres.fields
from django.db import migrations, models

ROLES = [
    ("reviewer", "reviewer"),
    ("senior reviewer", "senior reviewer"),
    ("operator", "operator"),
    ("auditor", "auditor"),
    ("policy lead", "policy lead"),
    ("evidence custodian", "evidence custodian"),
    ("administrator", "administrator"),
]


class Migration(migrations.Migration):

    dependencies = [
        ("access", "0011_provisioned"),
    ]

    operations = [
        migrations.AddField(
            model_name="staff",
            name="roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=ROLES, max_length=20),
                db_default=[],
                default=list,
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="staffinvitation",
            name="roles",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(choices=ROLES, max_length=20),
                default=list,
                size=None,
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(
            sql=[
                "UPDATE access_staff SET roles = ARRAY[role] WHERE role <> ''",
                "UPDATE access_staffinvitation SET roles = ARRAY[role]",
            ],
            reverse_sql=[
                "UPDATE access_staff SET role = coalesce(roles[1], '')",
                "UPDATE access_staffinvitation SET role = roles[1]",
            ],
        ),
        migrations.RemoveField(model_name="staff", name="role"),
        migrations.RemoveField(model_name="staffinvitation", name="role"),
        migrations.RemoveConstraint(model_name="appointment", name="access_one_appointment_asked"),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "asked"), ("went_ahead_at", None)),
                fields=("staff", "role"),
                name="access_one_appointment_asked",
            ),
        ),
    ]
