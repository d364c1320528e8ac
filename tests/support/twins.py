"""Two families that live through the same days, and all that their guardians met."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core import mail
from django.test import Client
from django.utils import timezone

from kinward.access.actor import Actor
from kinward.enforcement.models import Action
from kinward.families import consent
from kinward.families.models import Ask, Keyword, Notice, Pairing
from kinward.families.screen_time.zones import set_time_zone
from kinward.families.visits import digest
from kinward.people.models import Account
from tests.integration.gate.test_gate import Caller
from tests.support.families import make_account, pair, prove
from tests.support.visits import visitor


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def tick(self) -> None:
        self.now += timedelta(seconds=1)


class Family:
    """A teen and a guardian, each with a browser, and everything that the guardian met."""

    def __init__(self, name: str, call: Caller) -> None:
        self.name, self.call = name, call
        self.teen = make_account(f"teen-{name}", 15)
        self.guardian = make_account(f"guardian-{name}", 41)
        Account.objects.filter(pk=self.teen.pk).update(screen_name="Wren")
        Account.objects.filter(pk=self.guardian.pk).update(screen_name="Heron")
        self.teen.refresh_from_db()
        self.guardian.refresh_from_db()
        east = 12 - datetime.now(UTC).hour  # it is about noon, so that no hour of sleep is met
        zone = f"Etc/GMT{-east:+d}" if east else "Etc/GMT"
        set_time_zone(account_id=self.teen.platform_id, zone=zone, actor=Actor.key("app"))
        self.pairing = pair(self.guardian, self.teen)
        self.his, self.hers = visitor(self.guardian), visitor(self.teen)
        self.met: list[str] = []

    def page(self, browser: Client, address: str) -> None:
        """Read a page that somebody may look at."""
        self._met(browser.get(address, follow=True))

    def post(self, browser: Client, address: str, **sent: Any) -> None:
        """Send a form, and read the page that answers it."""
        self._met(browser.post(address, sent, follow=True))

    def _met(self, answer: Any) -> None:
        headers = sorted((name, value) for name, value in answer.headers.items())
        where = [answer.request["PATH_INFO"], *map(str, answer.redirect_chain)]
        text = f"{where} {answer.status_code} {headers}\n{answer.content.decode()}"
        self.met.append(self.plain(text))

    def plain(self, text: str) -> str:
        """A text without what differs between two families: ids, tokens and codes."""
        for pattern, word in (
            (r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN"),
            (rf"\b(teen|guardian)-{self.name}\b", r"\1"),
            (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID"),
            (r"/family/answer/[\w%:-]+", "LINK"),
            (r"\?since=[0-9a-f]{16}", "MARK"),
            (r'name="remove" value="\d+"', "WORD"),
            (r"<svg xmlns.*?</svg>", "PICTURE"),
            (r"<code[^>]*>[^<]*</code>|data-code>[^<]*<", "CODE"),
            (r"'?Content-Length'?, '?\d+'?", "LENGTH"),
        ):
            text = re.sub(pattern, word, text, flags=re.DOTALL)
        return text

    @property
    def live(self) -> Pairing | None:
        return Pairing.objects.filter(guardian=self.guardian, teen=self.teen, ended_at=None).first()

    def looks(self) -> None:
        """The guardian reads everything, and the teen's own page with the phone in hand."""
        pages = ["/family"]
        if (pairing := self.live) is not None:
            pages.append(f"/family/teens/{pairing.pk}")
        for address in pages:
            self.page(self.his, address)
        self.page(self.hers, "/family")

    def looks_everywhere(self) -> None:
        """Both read what changes seldom."""
        for address in ("pair", "report", "decisions", "safe"):
            self.page(self.his, f"/family/{address}")
            self.page(self.hers, f"/family/{address}")
        if (pairing := self.live) is not None:
            self.page(self.his, f"/family/teens/{pairing.pk}/now")

    def told(self) -> list[str]:
        """What the guardian was told, and what the platform passed on to either of them."""
        texts = [
            f"{notice.topic} {sorted(notice.fill.items())} {notice.passed_on} {notice.at}"
            for notice in Notice.objects.filter(account=self.guardian)
        ]
        for account in (self.guardian, self.teen):
            sent = Action.objects.filter(account=account).order_by("number")
            texts += [f"{action.effect} {action.notice} {action.state}" for action in sent]
        texts += [str(each.body) for each in mail.outbox if self.guardian.platform_id in each.to[0]]
        return [self.plain(text) for text in texts]


Step = Callable[[Family], None]


def sets(capability: str, **sent: Any) -> Step:
    def step(family: Family) -> None:
        pairing = family.live or family.pairing
        family.post(family.his, f"/family/teens/{pairing.pk}/settings/{capability}", **sent)

    return step


def sends(where: str, **sent: Any) -> Step:
    def step(family: Family) -> None:
        pairing = family.live or family.pairing
        family.post(family.his, f"/family/teens/{pairing.pk}/{where}", **sent)

    return step


def by_api(capability: str, value: Any) -> Step:
    def step(family: Family) -> None:
        path = f"/v1/accounts/{family.teen.platform_id}/settings/{capability}"
        sent = {"layer": "guardian", "guardian_id": family.guardian.platform_id, "value": value}
        answer = family.call("PUT", path, json=sent)
        family.met.append(family.plain(f"{answer.status_code} {answer.text}"))

    return step


def asked_and(said: str, *, length: str = "", **ask: Any) -> Step:
    """The teen asks, and the guardian answers."""

    def step(family: Family) -> None:
        family.post(family.hers, "/family/asks", **ask)
        asked = Ask.objects.filter(teen=family.teen).latest("made_at")
        family.post(family.his, f"/family/asks/{asked.pk}", said=said, note="ok", **{"for": length})

    return step


def stops_the_latest(family: Family) -> None:
    asked = Ask.objects.filter(teen=family.teen, until__isnull=False).latest("made_at")
    family.post(family.his, f"/family/asks/{asked.pk}", said="no")


def proposes_and_she_agrees(family: Family) -> None:
    pairing = family.live or family.pairing
    about = {"capability": "comment.receive", "value": "followers", "reason": "why not"}
    family.post(family.his, f"/family/teens/{pairing.pk}/propose", **about)
    proposal = Ask.objects.filter(teen=family.teen).latest("made_at")
    family.post(family.hers, f"/family/asks/{proposal.pk}", said="yes")


def word(text: str) -> Step:
    def step(family: Family) -> None:
        known = Keyword.objects.filter(teen=family.teen, word=text, ended_at=None).first()
        pairing = family.live or family.pairing
        family.post(
            family.his,
            f"/family/teens/{pairing.pk}/words",
            **({"word": text} if known is None else {"remove": known.pk}),
        )

    return step


def her_word(family: Family) -> None:
    family.post(family.hers, "/family/words", word="hers")


def uses_the_app(family: Family) -> None:
    now = datetime.now(UTC).isoformat()
    event = {"account_id": family.teen.platform_id, "at": now, "minutes": 5}
    family.call("POST", "/v1/events", json={"events": [event]})


def a_pass_code_is_read_out(family: Family) -> None:
    pairing = family.live or family.pairing
    shown = family.his.post(f"/family/teens/{pairing.pk}/codes").content.decode()
    codes = re.findall(r"\b\d{8}\b", shown.replace(" ", ""))
    assert codes, shown
    path = f"/v1/accounts/{family.teen.platform_id}/passcodes"
    assert family.call("POST", path, json={"code": codes[0]}).status_code == 200


def a_week_is_over(family: Family) -> None:
    Pairing.objects.exclude(guardian=family.guardian).update(digested_at=timezone.now())
    Pairing.objects.filter(guardian=family.guardian).update(digested_at=None)
    digest.send_digests()


def consent_is_withdrawn_and_back(family: Family) -> None:
    consent.tell_family(family.teen.pk, withdrawn=True)
    consent.tell_family(family.teen.pk, withdrawn=False)


def the_proof_goes(family: Family) -> None:
    """The platform finds that it was wrong about the guardian."""
    path = f"/v1/accounts/{family.teen.platform_id}/guardians/{family.guardian.platform_id}/proof"
    assert family.call("DELETE", path).status_code == 200


def the_proof_comes(family: Family) -> None:
    prove(family.guardian, family.teen, "id")


def ends_it(family: Family) -> None:
    assert family.live is not None
    family.post(family.his, f"/family/pairings/{family.live.pk}/end")


def pairs_again(family: Family) -> None:
    pair(family.guardian, family.teen)
