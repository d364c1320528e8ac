"""What `gate` holds of a person: answers that are kept for a day, for repeated requests."""

import json
from typing import Final

from django.db import connection

from kinward.gate.models import KeptAnswer
from kinward.ground.personal import Going, holds_nobody, scrubbed_by

_FORGET: Final = """
DELETE FROM gate_keptanswer WHERE idempotency_key = ANY(%(names)s) OR EXISTS (
  SELECT FROM jsonb_path_query(answer, '$.**') AS said
  WHERE jsonb_typeof(said) = 'string' AND said #>> '{}' = ANY(%(names)s)
)
OR jsonb_path_exists(answer, '$.**.account_id ? (@ == $name)', %(vars)s::jsonb)
OR jsonb_path_exists(answer, '$.**.guardian_id ? (@ == $name)', %(vars)s::jsonb)
"""

holds_nobody("answers of one day, which `forget_answers` removes by the ids in them", KeptAnswer)


@scrubbed_by
def forget_answers(going: Going) -> None:
    """Remove the kept answers that name the account, or any of its rows."""
    known = json.dumps({"name": going.person.platform_id})
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"names": going.names, "vars": known})
