import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0009_staff_join'),
    ]

    operations = [
        migrations.CreateModel(
            name='FactorReset',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, primary_key=True, serialize=False)),
                ('state', models.CharField(default='asked', max_length=20)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('goes_ahead_at', models.DateTimeField(null=True)),
                ('went_ahead_at', models.DateTimeField(null=True)),
                ('operator', models.CharField(default='', max_length=200)),
                ('why', models.TextField()),
                ('not_before', models.DateTimeField()),
                ('done_at', models.DateTimeField(null=True)),
                ('asked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='factor_resets', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ('-asked_at',),
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('state', 'asked')), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('state', 'refused')), models.Q(models.Q(('state__in', ('asked', 'refused')), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False), models.Q(('decided_by', models.F('asked_by')), _negated=True)), _connector='OR'), name='access_factorreset_two_people'), models.CheckConstraint(condition=models.Q(('went_ahead_at', None), models.Q(('goes_ahead_at__isnull', False), ('went_ahead_at__gte', models.F('goes_ahead_at'))), _connector='OR'), name='access_factorreset_not_before'), models.UniqueConstraint(condition=models.Q(('done_at', None), models.Q(('state', 'refused'), _negated=True)), fields=('staff',), name='access_one_factor_reset_open'), models.CheckConstraint(condition=models.Q(models.Q(('asked_by__isnull', False), ('operator', '')), models.Q(('asked_by', None), models.Q(('operator', ''), _negated=True)), _connector='OR'), name='access_reset_asked_by_one'), models.CheckConstraint(condition=models.Q(('done_at', None), models.Q(('done_at__gte', models.F('not_before')), models.Q(('state', 'refused'), _negated=True), models.Q(models.Q(('state', 'asked'), _negated=True), ('went_ahead_at__isnull', False), _connector='OR')), _connector='OR'), name='access_reset_by_two_and_not_before'), models.CheckConstraint(condition=models.Q(('state__in', ('asked', 'refused')), models.Q(('decided_by', models.F('staff')), _negated=True), _connector='OR'), name='access_nobody_resets_themselves')],
            },
        ),
    ]
