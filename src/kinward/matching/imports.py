"""Import of a stranger's list: it is read to its end before the bank is touched. All or nothing."""

from collections.abc import Callable, Collection, Iterator
from typing import BinaryIO, Final

import msgspec

from kinward.access import Actor, Permission
from kinward.matching.hashlists import ListedHash, Row, Unused, read_list
from kinward.matching.kinds import kind_of
from kinward.matching.listfiles import (
    SHOWN,
    BadRow,
    Encoding,
    ListRefused,
    encoding_of,
    lines_of_file,
)
from kinward.matching.models import Bank
from kinward.matching.services import fill_bank
from kinward.matching.vic import NO_CATEGORY, read_vic

MAX_WITHDRAWALS: Final = 1_000_000
Progress = Callable[[int], None]
Told = Callable[[BadRow | Unused], None]


class ListFile:
    """A list in a file that can be read several times. Raises `ListRefused` if it is no text.

    `categories`: those of Project VIC to read. `kind`: of hashes whose kind the list does not name.
    """

    def __init__(
        self,
        file: BinaryIO,
        format: str,
        *,
        categories: Collection[int] = (),
        kind: str = "",
    ) -> None:
        if not file.seekable():
            raise ListRefused("A list is read twice, so it has to be a file. Save it as one first.")
        self._file, self.format, self._categories = file, format, categories
        self._kind = kind
        self.encoding = Encoding("utf-8") if format == "vic" else encoding_of(file)
        if self.encoding.guessed and format != "csv":
            raise ListRefused("The file is not UTF-8. Save it as UTF-8 and import that.")
        self.left_out: list[str] = []  # columns that are not read
        self.others = 0  # entries of other categories, in the last reading
        self.progress: Progress = lambda _: None  # gets the bytes read since it was called last

    def rows(self) -> Iterator[Row]:
        """Yield the rows, from the beginning of the file."""
        read = 0
        for number, row in enumerate(self._read()):
            if number % 1000 == 0:
                at = self._file.tell()
                self.progress(at - read)
                read = at
            yield row

    def _read(self) -> Iterator[Row]:
        if self.format == "vic":
            self._file.seek(0)
            self.others = 0
            return read_vic(self._file, self._categories, self._pass_by)
        return read_list(
            lines_of_file(self._file, self.encoding),
            self.format,
            kind=self._kind,
            guessed=self.encoding.guessed,
            left_out=self._leave_out,
        )

    def _pass_by(self) -> None:
        self.others += 1

    def _leave_out(self, names: list[str]) -> None:
        self.left_out += [name for name in names if name not in self.left_out]


class Imported(msgspec.Struct, frozen=True):
    """What an import did. `unused`: how many values were read but not banked.

    `carried`: how many hashes the list has of each kind that Kinward does not match.
    """

    added: int
    removed: int
    unused: int
    first_unused: list[Unused]
    carried: dict[str, int] = {}


def import_list(
    *,
    bank: Bank,
    source: ListFile,
    provenance: str,
    actor: Actor,
    confidence: str | None = None,
    agreed: int | None = None,
    told: Told = lambda _: None,
) -> Imported:
    """Import a whole list into a bank, or nothing of it.

    `agreed`: how many withdrawals a person agreed to. `told` gets each row that is bad or unused.
    Raises `ListRefused` if a row cannot be read, or `RemovesTooMuch`.
    """
    actor.must(Permission.FILL_BANKS)
    survey = _Survey(told)
    survey.read(source.rows())
    if not survey.read_any and not source.others:
        raise ListRefused("No entry of the list could be read, so nothing was imported.")
    filled = fill_bank(
        bank=bank,
        hashes=survey.again(source.rows()),
        provenance=provenance,
        actor=actor,
        confidence=confidence,
        agreed=agreed,
    )
    return Imported(
        filled.added, filled.removed, survey.unused, survey.first_unused, survey.carried
    )


class _Survey:
    """What was found in a first reading of a list, by which the second one is checked."""

    def __init__(self, told: Told) -> None:
        self.read_any = False  # a row that says enough, or too little; not one without a category
        self.carried: dict[str, int] = {}
        self.unused = 0
        self.first_unused: list[Unused] = []
        self._told = told
        self._removed: set[tuple[str, bytes]] = set()

    def read(self, rows: Iterator[Row]) -> None:
        """Read a list to its end. Raises `ListRefused` with its first bad rows."""
        bad: list[BadRow] = []
        count = 0
        for row in rows:
            if isinstance(row, BadRow):
                count += 1
                bad += [row] if count <= SHOWN else []
                self._told(row)
                continue
            if not (isinstance(row, Unused) and row.why == NO_CATEGORY):
                self.read_any = True
            if isinstance(row, Unused):
                self.unused += 1
                self.first_unused += [row] if self.unused <= SHOWN else []
                self._told(row)
            elif row.removed:
                self._removed.add((row.kind, row.value))
                if len(self._removed) > MAX_WITHDRAWALS:
                    raise ListRefused(f"It removes more than {MAX_WITHDRAWALS:,} hashes. Split it.")
            else:
                self._count_carried(row.kind)
        if bad:
            raise ListRefused(f"Row {bad[0].line:,}: {bad[0].why}.", bad, count)

    def _count_carried(self, kind: str) -> None:
        if not kind_of(kind).matched:
            name = kind if kind in self.carried or len(self.carried) < SHOWN else "others"
            self.carried[name] = self.carried.get(name, 0) + 1

    def again(self, rows: Iterator[Row]) -> Iterator[ListedHash]:
        """Yield the hashes, read again. Raises `ListRefused` if the list contradicts itself."""
        for row in rows:
            if isinstance(row, BadRow):
                raise ListRefused(f"The file changed while it was read: {row.why}.")
            if isinstance(row, Unused):
                continue
            if not row.removed and (row.kind, row.value) in self._removed:
                raise ListRefused(
                    f"It lists the same {row.kind} as removed and as not removed:"
                    f" {row.value.hex()[:80]}."
                )
            yield row
