"""What an API key may be for. Each purpose has its scopes, and each scope says what it allows.

A key gets the scopes of its purposes and no others. `leaked` says where to look if somebody else
had a key with that scope.
"""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

PROVISION: Final = "staff:provision"


class Scope(msgspec.Struct, frozen=True):
    """What a scope allows, and what to look at if it was in the wrong hands."""

    allows: str
    leaked: str


class Purpose(msgspec.Struct, frozen=True):
    """What a key is for, in words, and the scopes that it needs for that."""

    words: str
    scopes: frozenset[str]


ALL_SCOPES: Final[Mapping[str, Scope]] = {
    "accounts:write": Scope(
        "create accounts, and change their age and place",
        "Look at each `account.age_changed` and `account.moved` above, and send the right age.",
    ),
    "actions:pull": Scope(
        "fetch actions and restored files, and acknowledge actions",
        "An action may be acknowledged and not carried out. Compare your app with the console.",
    ),
    "appeals:write": Scope(
        "read statements of reasons, and appeal",
        "Statements were readable. Ask the people whether the appeals above are theirs.",
    ),
    "consents:write": Scope(
        "say that a guardian consents, or withdrew it, and how you know that they are the guardian",
        "Look at each `consent.given`, `consent.withdrawn` and `guardian.proven` above.",
    ),
    "hashes:look-up": Scope(
        "look up hashes, and learn how close they are to which bank",
        "Somebody may have tried out which files match. Many look-ups are a reason to tell "
        "the partners whose lists you hold.",
    ),
    "media:check": Scope(
        "check uploads",
        "Look at the cases that began above: an upload can be sent in another person's name.",
    ),
    "metrics:read": Scope(
        "read the metrics of each process",
        "How much you check, refuse and have waiting was readable. It names nobody.",
    ),
    "persons:data": Scope(
        "read all that a person is told of what is held of them, and ask for their erasure",
        "The data of every account was readable. Refuse each erasure that your app does not know.",
    ),
    "policy:decide": Scope(
        "ask what an account may do, and read its standing and consent",
        "The standing, consent and screen time of every account were readable.",
    ),
    "portal:open": Scope(
        "begin visits of the portal in the name of any account",
        "A visitor sees a family's settings. Look at each change of a family above.",
    ),
    "reports:write": Scope(
        "send user reports, and read what became of them",
        "Look at the cases that began above: a report can be sent in another person's name.",
    ),
    PROVISION: Scope(
        "add people of your provider to the staff, put them into groups, and end them, by SCIM",
        "Look at each `staff.provisioned` and `staff.group_changed` above, and at *People*: end "
        "whom you do not know, and refuse the roles that wait.",
    ),
    "text:check": Scope(
        "check texts",
        "Somebody may have tried out which words and links are found.",
    ),
}
SCOPES: Final = frozenset(ALL_SCOPES)

# Looking up hashes shows how close a hash is to which bank. That is for the tools of staff. And who
# may say that a guardian consents can open an account. So each of these is a purpose of its own.
PURPOSES: Final[Mapping[str, Purpose]] = {
    "gate": Purpose(
        "your app's server: accounts, decisions, uploads and texts",
        frozenset({"accounts:write", "media:check", "policy:decide", "text:check"}),
    ),
    "decisions": Purpose(
        "a service that only asks what people may do", frozenset({"policy:decide"})
    ),
    "uploads": Purpose(
        "a service that only checks uploads and texts", frozenset({"media:check", "text:check"})
    ),
    "portal": Purpose(
        "links to the family pages and the page for reports", frozenset({"portal:open"})
    ),
    "reports": Purpose(
        "user reports and appeals from your own pages",
        frozenset({"appeals:write", "reports:write"}),
    ),
    "actions": Purpose("whatever fetches actions and restored files", frozenset({"actions:pull"})),
    "consent": Purpose(
        "whoever hears what guardians consent to, and knows who they are",
        frozenset({"consents:write"}),
    ),
    "data": Purpose(
        "whoever answers people who ask for their data, or for its erasure",
        frozenset({"persons:data"}),
    ),
    "hma": Purpose(
        "your staff's tools that look up hashes as in HMA", frozenset({"hashes:look-up"})
    ),
    "scim": Purpose(
        "the provider of single sign-on that adds and ends staff", frozenset({PROVISION})
    ),
    "metrics": Purpose("a Prometheus that asks from another machine", frozenset({"metrics:read"})),
}


def scopes_of(purposes: Iterable[str]) -> frozenset[str]:
    """Return the scopes of known purposes, together.

    >>> sorted(scopes_of(["portal", "actions"]))
    ['actions:pull', 'portal:open']
    """
    return frozenset().union(*(PURPOSES[name].scopes for name in purposes))
