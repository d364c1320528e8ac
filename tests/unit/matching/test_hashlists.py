"""Good rows are read, bad ones are named with their row and column."""

import json

import pytest

from kinward.matching.hashlists import ListedHash, Unused, read_list
from kinward.matching.kinds import Md5, Pdq, Sha1
from kinward.matching.listfiles import BadRow

PDQ = "f" * 63 + "0"
MD5 = "0123456789abcdef0123456789abcdef"


def test_csv_gives_every_hash_of_a_row() -> None:
    rows = ["PDQ,md5,reference\n", f"{PDQ},{MD5},a-1\n", f",{MD5.upper()},\n"]
    assert list(read_list(rows, "csv")) == [
        ListedHash(Pdq.name, bytes.fromhex(PDQ), "a-1"),
        ListedHash(Md5.name, bytes.fromhex(MD5), "a-1"),
        ListedHash(Md5.name, bytes.fromhex(MD5), ""),
    ]


def test_json_lines_and_pdq_text() -> None:
    lines = [f'{{"sha1": "{"ab" * 20}"}}', "", "[1]", "{"]
    found = list(read_list(lines, "jsonl"))
    assert found == [
        ListedHash(Sha1.name, bytes.fromhex("ab" * 20)),
        BadRow(3, "not an object"),
        BadRow(4, "not JSON"),
    ]
    (held,) = read_list(
        [json.dumps({"md5": MD5, "label": "\0", "reference": "\ud83d" * 300})], "jsonl"
    )
    assert held == ListedHash(Md5.name, bytes.fromhex(MD5), "\ufffd" * 200, "\ufffd")
    text = ["# a comment", PDQ, f"{PDQ},100", f"{PDQ},10", "xyz"]
    kinds = [type(row) for row in read_list(text, "pdq")]
    assert kinds == [ListedHash, ListedHash, Unused, BadRow]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("abc,", "column 'pdq': pdq is not hexadecimal"),
        ("abcd,", "column 'pdq': pdq needs 64 hex digits, not 4"),
        (f",{MD5}00", "column 'md5': md5 needs 32 hex digits, not 34"),
        (f",{MD5},", "it has 3 columns, and the header has 2"),
    ],
)
def test_a_bad_row_says_what_is_wrong_and_where(row: str, why: str) -> None:
    found = list(read_list(["pdq,md5\n", f"{PDQ},\n", f"{row}\n", f",{MD5}\n"], "csv"))
    assert found[1] == BadRow(3, why)
    assert len(found) == 3


def test_a_hash_in_pieces_is_not_a_hash() -> None:
    with pytest.raises(ValueError, match="hex digits"):
        Md5().decode(" ".join([MD5[:16], MD5[16:]]))
