"""One minute is one minute in a notice, in each language."""

import pytest

from kinward.families.models import Notice
from kinward.families.notices import notice_sentence
from kinward.people.models import Account
from tests.unit.policy.test_counts import ONE


@pytest.mark.parametrize("language", ONE)
@pytest.mark.parametrize("topic", ["digest", "passcode"])
def test_one_minute_in_a_notice(language: str, topic: str) -> None:
    account = Account(platform_id="a", language=language)

    def said(minutes: int) -> str:
        fill = {"other": "Heron", "minutes": minutes}
        return notice_sentence(Notice(account=account, topic=topic, fill=fill))

    many = said(2)
    assert said(1) != many.replace("2", "1")
    assert ONE[language].split()[1] in said(1)
