"""Every decision of a pack on one day, as one digest for each place.

Run with an earlier Kinward, it writes what that one decided:

    python tests/support/decided.py > tests/support/stored/decided/teen-accounts-2026.11.json
"""

import hashlib
import json
from datetime import datetime

AT = datetime(2026, 11, 26, 12)
AGES = [*((age, age + 1) for age in (*range(8, 20), 30)), (0, 150), (13, 18)]
PLACES = ["", "US", "US-CA", "US-NY", "US-TX", "US-UT", "US-VA", "US-LA", "US-AL", "GB", "DE", "DK"]
PLACES += ["FR", "ES", "GR", "IE", "NO", "AU", "BR", "CN", "IN", "KR", "MY", "ID", "JP"]
CAPABILITIES = (
    *("account.join", "profile.private", "profile.discoverable", "profile.suggested", "dm.send"),
    *("dm.receive", "dm.media", "group.join", "comment.send", "comment.receive"),
    *("mention.receive", "follow.receive", "live.host", "live.watch", "live.gift.send"),
    *("live.gift.receive", "content.audience", "content.download", "content.remix"),
    *("content.mature", "feed.personalised", "feed.autoplay", "search.use"),
    *("search.autocomplete", "notify.push", "session.time", "session.hours", "session.break"),
    *("purchase.make", "ads.personalised", "location.share"),
    # Names that came later: nobody knew them.
    *("live.comment", "feed.endless", "assistant.chat", "purchase.chance"),
)


def questions(place: str) -> list[dict[str, object]]:
    """Return the questions about a place, as the gate and the command line read them."""
    return [
        {
            "capability": name,
            "actor": {"age": list(age), "jurisdiction": place, "assurance": assurance},
            "at": AT.isoformat(),
        }
        for name in CAPABILITIES
        for age in AGES
        for assurance in ("declared", "verified")
    ]


def digest(decisions: list[tuple[object, ...]]) -> str:
    """Return the digest of the effects, values, layers, reasons and obligations."""
    return hashlib.sha256(json.dumps(decisions).encode()).hexdigest()[:16]


if __name__ == "__main__":
    import msgspec

    from kinward.policy import Request, answer_request, load_pack

    pack = load_pack("teen-accounts")
    found = {}
    for place in PLACES:
        requests = msgspec.convert(questions(place), list[Request], strict=False)
        decisions = [answer_request(pack, request, {}) for request in requests]
        found[place or "nowhere"] = digest(
            [
                (
                    decision.effect,
                    decision.value,
                    decision.layer,
                    [reason.code for reason in decision.reasons],
                    list(decision.obligations),
                    decision.pack,
                )
                for decision in decisions
            ]
        )
    print(json.dumps(found, indent=2))
