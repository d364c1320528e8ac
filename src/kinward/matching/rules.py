"""The rules of banks in a lookup: which hits count, and which of them a negative bank silences.

A bank counts hits up to its own distance, and only in its share of lookups. Every lookup tosses one
coin, made from the file itself, so that the answer to a file never flips.

A frame near an entry of a negative bank hits nothing else. The file's other frames still count, so
a harmless frame that somebody adds to a known video silences that frame only. A file whose SHA-256
is in a negative bank looks like nothing at all. MD5 and SHA-1 silence nothing, because somebody can
make two files that share them. An exact match is never silenced.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Final

import msgspec
from django.db.models import Exists, OuterRef

from kinward.ground.errors import KinwardError
from kinward.matching.index import Hit
from kinward.matching.kinds import FILE_KINDS, Md5, Sha1, Sha256
from kinward.matching.models import Bank, BankedHash, Role
from kinward.matching.models import Sha256 as Digest

# The kinds of a file's hash, the one that tells files apart best first.
STRONGEST: Final = tuple(dict.fromkeys((Sha256.name, Sha1.name, Md5.name, *FILE_KINDS)))

Values = Sequence[tuple[str, bytes]]


def toss(value: bytes) -> float:
    """Return the coin of a value: 0 up to, but never, 1. The same value has the same coin.

    >>> toss(b"a") == toss(b"a"), 0 <= toss(b"a") < 1
    (True, True)
    """
    return (int.from_bytes(hashlib.sha256(b"kinward.coin" + value).digest()[:6])) / (1 << 48)


def coin_of(values: Values) -> float | None:
    """Return the coin of a file, from the strongest hash it has; none if these are of no file."""
    ranked = [(STRONGEST.index(kind), value) for kind, value in values if kind in FILE_KINDS]
    return toss(min(ranked)[1]) if ranked else None


def asks(bank: Bank, coin: float) -> bool:
    """Return whether a lookup with this coin asks a bank."""
    return coin < bank.enabled_ratio


def banks_not_asked(values: Values) -> list[Bank]:
    """Return the banks that a lookup of this file leaves out because of their ratio, by name."""
    return left_out(banks_asked_partly(), values)


def banks_asked_partly() -> list[Bank]:
    """Return the banks that are asked for a share of the lookups only, by name."""
    return list(Bank.objects.filter(disabled=False, enabled_ratio__lt=1).order_by("name"))


def left_out(partly: Iterable[Bank], values: Values) -> list[Bank]:
    """Return those of the banks that a lookup of this file leaves out."""
    coin = coin_of(values)
    return [bank for bank in partly if coin is None or not asks(bank, coin)]


def require_asked(kinds: Iterable[str], values: Values, banks: Collection[str] | None) -> None:
    """Raise `BankNotAsked` if a lookup that hit nothing left a live bank out because of its ratio.

    `kinds`: what was looked up. `values`: as in `Rules`. `banks`: names, or None for all.
    """
    coin = coin_of(values)
    partly = Bank.objects.filter(disabled=False, role=Role.LIVE, enabled_ratio__lt=1)
    if banks is not None:
        partly = partly.filter(name__in=banks)
    holding = BankedHash.objects.live().filter(bank=OuterRef("pk"), kind__in=list(kinds))
    for bank in partly.filter(Exists(holding)).order_by("name"):
        # A keyword or a URL has a coin of its own, so some of the bank's are never asked.
        if coin is None or not asks(bank, coin):
            raise BankNotAsked(f"One is {bank.name!r}, and nothing else matches.")


class BankNotAsked(KinwardError):
    """Some banks are asked for a share of the lookups only, and not for all of this one."""

    code = "bank.not_asked"
    status = 422


class _Trait(msgspec.Struct, frozen=True):
    """What a lookup needs to know of a banked hash: its bank, and whether it silences."""

    bank: Bank
    silences: bool


class Rules:
    """The rules of all banks for the lookup of one file.

    `values`: what is known of the file, each hash with the name of its kind.
    """

    def __init__(self, values: Values = ()) -> None:
        self.coin = coin_of(values)
        self._sha256 = [value for kind, value in values if kind == Sha256.name]
        self._traits: dict[int, _Trait | None] = {}
        self._silencer: int | None = None
        self._silencer_known = not self._sha256

    def admit(self, hits: Sequence[Hit]) -> tuple[list[Hit], dict[int, int]]:
        """Return the hits that count, and each silenced frame with the hash that silences it.

        The frames are those that `Hit.query` numbers. Their hits are still among those that count.
        """
        self._read({hit.hash for hit in hits})
        counting: list[Hit] = []
        silenced: dict[int, int] = {}
        for hit in hits:
            trait = self._traits[hit.hash]
            if trait is None or hit.distance > trait.bank.distance:
                continue
            if trait.silences:
                silenced.setdefault(hit.query, hit.hash)
            elif trait.bank.role != Role.NEGATIVE:
                counting.append(hit)
        return counting, silenced

    def silencer_of_file(self) -> int | None:
        """Return the hash of a negative bank that is this file's SHA-256, if there is one."""
        if not self._silencer_known:
            self._silencer, self._silencer_known = self._find_silencer(), True
        return self._silencer

    def _find_silencer(self) -> int | None:
        digests = [hashlib.sha256(value).digest() for value in self._sha256]
        rows = BankedHash.objects.silencing().filter(kind=Sha256.name)
        for row in rows.annotate(digest=Digest("value")).filter(digest__in=digests):
            if self._asked(row):
                return row.pk
        return None

    def means(self, row: BankedHash) -> Role | None:
        """Return what a hit on a hash means by its bank: live or shadow; none if nothing."""
        if row.bank.role == Role.NEGATIVE or not self._asked(row):
            return None
        return Role(row.bank.role)

    def _asked(self, row: BankedHash) -> bool:
        # A keyword or a URL has the coin of its entry, whatever stands around it in the text.
        return asks(row.bank, toss(bytes(row.value)) if self.coin is None else self.coin)

    def _read(self, hashes: set[int]) -> None:
        unknown = [pk for pk in hashes if pk not in self._traits]
        self._traits |= dict.fromkeys(unknown)
        rows = BankedHash.objects.live().filter(pk__in=unknown).select_related("bank")
        for row in rows.defer("value") if self.coin is not None else rows:
            if self._asked(row):
                silences = row.bank.role == Role.NEGATIVE and row.pk <= row.bank.silences_upto
                self._traits[row.pk] = _Trait(row.bank, silences)
