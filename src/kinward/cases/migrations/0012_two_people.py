from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0011_backing'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint('release', 'cases_release_two_people'),
        migrations.RemoveConstraint('destruction', 'cases_destruction_two_people'),
        migrations.AlterField('release', 'state', models.CharField(default="asked", max_length=20)),
        migrations.AlterField('destruction', 'state', models.CharField(default="asked", max_length=20)),
        migrations.RunSQL(
            [
                'SET CONSTRAINTS ALL IMMEDIATE',
                "UPDATE cases_destruction SET state = 'approved' WHERE state = 'done'",
                'SET CONSTRAINTS ALL DEFERRED',
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='release',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='cases_release_two_people'),
        ),
        migrations.AddConstraint(
            model_name='destruction',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='cases_destruction_two_people'),
        ),
    ]
