from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('guidelines', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint('edition', 'guidelines_two_people'),
        migrations.RenameField('edition', 'proposed_by', 'asked_by'),
        migrations.RenameField('edition', 'proposed_at', 'asked_at'),
        migrations.AlterField('edition', 'state', models.CharField(default="asked", max_length=20)),
        migrations.AlterModelOptions('edition', {'ordering': ('-asked_at',)}),
        migrations.RunSQL(
            [
                'SET CONSTRAINTS ALL IMMEDIATE',
                "UPDATE guidelines_edition SET state = CASE state WHEN 'proposed' THEN 'asked' WHEN 'rejected' THEN 'refused' ELSE state END",
                'SET CONSTRAINTS ALL DEFERRED',
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            model_name='edition',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='guidelines_edition_two_people'),
        ),
    ]
