"""Partners' lists are read, row by row; what is no good is named."""

import base64
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from kinward.matching.hashlists import ListedHash, Unused, read_list
from kinward.matching.listfiles import MAX_LINE, BadRow, ListRefused, lines_of
from kinward.matching.vic import read_vic

MD5, PDQ = "0f" * 16, "3c" * 32
PHOTODNA = base64.b64encode(bytes(range(144))).decode()


def test_a_row_for_each_hash_as_partners_write_them() -> None:
    rows = io.StringIO(
        "hash_type,value,severity,removed\n"
        f"MD5,{MD5},A,\n"
        f"PhotoDNA,{PHOTODNA},B,\n"
        f"pdq,{PDQ},C,TRUE\n"
        "md5,d41d8cd98f00b204e9800998ecf8427e,A,\n"
        "what a kind,1,A,\n"
    )
    found = list(read_list(rows, "csv"))
    assert found[:3] == [
        ListedHash("md5", bytes.fromhex(MD5), "", "A"),
        ListedHash("photodna", PHOTODNA.encode(), "", "B"),
        ListedHash("pdq", bytes.fromhex(PDQ), "", "C", removed=True),
    ]
    assert [row.line for row in found[3:] if isinstance(row, Unused)] == [5]
    assert found[4] == ListedHash("what_a_kind", b"1", "", "A")


def test_any_number_of_bad_rows_takes_no_memory_and_loses_no_good_one() -> None:
    def rows() -> Iterator[str]:
        for number in range(100_000):
            yield f"{MD5}\n" if number == 77_777 else "no hash\n"

    def counted() -> tuple[int, int]:
        good = bad = 0
        for row in read_list((f'{{"md5": "{each.strip()}"}}' for each in rows()), "jsonl"):
            good += isinstance(row, ListedHash)
            bad += isinstance(row, BadRow)
        return good, bad

    tracemalloc.start()
    assert counted() == (1, 99_999)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(("frames", "good"), [(1, True), (1024, True), (1025, False), (0, False)])
def test_a_video_has_no_more_frames_than_the_index_has_room_for(frames: int, good: bool) -> None:
    found = list(read_list(["hash_type,value\n", f"video,{PDQ * frames}\n"], "csv"))
    assert [type(each) for each in found] == [ListedHash if good else BadRow]


def test_a_line_without_end_is_refused_before_it_is_read() -> None:
    text = io.StringIO(f"{PDQ}\n" + "f" * 10_000_000 + f"\n{PDQ}\n")
    with pytest.raises(ListRefused, match="Row 2 has more than"):
        list(read_list(lines_of(text), "pdq"))
    assert text.tell() <= len(PDQ) + 1 + MAX_LINE + 1


def vic(media: list[dict[str, Any]], *, case: bool = False, model: str = "2.0.xml/US/") -> bytes:
    context = f"http://github.com/VICSDATAMODEL/ProjectVic/DataModels/{model}$metadata#Media"
    value: Any = [{"CaseID": "c", "TotalMediaFiles": 3, "Media": media}] if case else media
    return b"\xef\xbb\xbf" + json.dumps({"@odata.context": context, "value": value}).encode()


MEDIA: list[dict[str, Any]] = [
    {"MediaID": 1, "Category": 1, "MD5": MD5.upper(), "SHA1": "ab" * 20},
    {"MediaID": 2, "Category": 5, "MD5": "11" * 16},
    {"MediaID": 3, "Category": 2, "MD5": "zz"},
    {
        "MediaID": 4,
        "Category": 1,
        "AlternativeHashes": [{"HashName": "PhotoDNA", "HashValue": PHOTODNA}],
    },
    {"MediaID": 5, "Category": None, "MD5": "22" * 16},
]


@pytest.mark.parametrize("case", [True, False])
def test_project_vic_gives_the_categories_that_were_named(case: bool) -> None:
    found = list(read_vic(io.BytesIO(vic(MEDIA, case=case)), {1, 2}))
    assert found == [
        ListedHash("md5", bytes.fromhex(MD5), "1", "vic 2.0 US: 1"),
        ListedHash("sha1", b"\xab" * 20, "1", "vic 2.0 US: 1"),
        BadRow(3, "MD5: md5 is not hexadecimal"),
        ListedHash("photodna", PHOTODNA.encode(), "4", "vic 2.0 US: 1"),
        Unused(5, "it has no category, so it may be harmless"),
    ]


def test_a_vic_file_that_is_cut_off_gives_what_was_there() -> None:
    whole = vic(MEDIA)
    found = list(read_vic(io.BytesIO(whole[: whole.index(b'"MediaID": 3')]), {1}))
    assert [type(each) for each in found] == [ListedHash, ListedHash, BadRow]
    assert isinstance(found[-1], BadRow)
    assert "cut off" in found[-1].why
    assert isinstance(next(read_vic(io.BytesIO(b"<html>"), {1})), BadRow)
