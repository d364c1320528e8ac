"""Lists as real tools write them are read right, or refused as a whole with a row and a reason."""

import codecs
import io
import json
import tracemalloc

import pytest

from kinward.matching import listfiles, vic
from kinward.matching.hashlists import ListedHash, Row, Unused, read_list
from kinward.matching.listfiles import BadRow, ListRefused, encoding_of, lines_of_file
from kinward.matching.vic import read_vic

A, B, C = "0f" * 16, "1a" * 16, "2b" * 16
SHA1, SHA256, PDQ = "ab" * 20, "cd" * 32, "3c" * 32


def read(data: bytes, format: str = "csv", kind: str = "") -> list[Row]:
    file = io.BytesIO(data)
    encoding = encoding_of(file)
    lines = lines_of_file(file, encoding)
    return list(read_list(lines, format, kind=kind, guessed=encoding.guessed))


def values(text: str | bytes, format: str = "csv", kind: str = "") -> list[tuple[str, str]]:
    """The kinds and hashes of a list that has no bad row."""
    rows = read(text.encode() if isinstance(text, str) else text, format, kind)
    assert not [row for row in rows if isinstance(row, BadRow)]
    return [(row.kind, row.value.hex()) for row in rows if isinstance(row, ListedHash)]


def refusal(text: str | bytes, format: str = "csv") -> str:
    """Why a list is refused: its first bad row, or the file as a whole."""
    try:
        rows = read(text.encode() if isinstance(text, str) else text, format)
    except ListRefused as error:
        return error.detail
    bad = [f"{row.line}: {row.why}" for row in rows if isinstance(row, BadRow)]
    assert bad, "the list was taken"
    return bad[0]


# -- truth


@pytest.mark.parametrize(
    ("written", "removed"),
    [
        *((word, True) for word in ("true", "TRUE", "Yes", "y", "t", "1", "1.0", " true ", "WAHR")),
        *((word, False) for word in ("false", "FALSE", "No", "n", "f", "0", "0.0", "", "FAUX")),
    ],
)
def test_removed_is_parsed(written: str, removed: bool) -> None:
    for text in (f"md5,removed\n{A},{written}\n", f"md5;Removed?\n{A};{written}\n"):
        (row,) = read(text.encode())
        assert isinstance(row, ListedHash)
        assert row.removed is removed
    (row,) = read(json.dumps({"md5": A, "removed": written}).encode(), "jsonl")
    assert row == ListedHash("md5", bytes.fromhex(A), removed=removed)


@pytest.mark.parametrize("value", [True, 1, False, 0, None])
def test_removed_is_parsed_in_json(value: object) -> None:
    (row,) = read(json.dumps({"md5": A, "removed": value}).encode(), "jsonl")
    assert row == ListedHash("md5", bytes.fromhex(A), removed=bool(value))


@pytest.mark.parametrize(
    "written", ["maybe", "2026-01-01", "2", "-1", "x", "null", "nope", "\uff34rue"]
)
def test_any_other_word_refuses_the_list(written: str) -> None:
    why = refusal(f"md5,removed\n{A},no\n{B},{written}\n")
    assert why.startswith("3: column 'removed': ")
    assert "write `true` or `false`" in why
    assert "removed" in refusal(json.dumps({"md5": A, "removed": written}), "jsonl")


@pytest.mark.parametrize("value", [2, 0.5, [], {"a": 1}, [True]])
def test_any_other_value_refuses_the_list_in_json(value: object) -> None:
    assert "removed" in refusal(json.dumps({"md5": A, "removed": value}), "jsonl")


@pytest.mark.parametrize(
    ("column", "counts", "stops"),
    [
        ("active", "true", "false"),
        ("is_valid", "1", "0"),
        ("false_positive", "no", "yes"),
        ("disputed", "FALSE", "maybe"),
        ("status", "", "NON_MALICIOUS"),
        ("action", "", "delete"),
        ("deleted_at", "", "2026-01-01"),
        ("entfernt", "", "WAHR"),
        ("what is it", "text", "false"),
    ],
)
def test_a_column_that_may_say_that_an_entry_does_not_count(
    column: str, counts: str, stops: str
) -> None:
    assert values(f"md5,{column}\n{A},{counts}\n") == [("md5", A)]
    assert refusal(f"md5,{column}\n{A},{counts}\n{B},{stops}\n").startswith(f"3: column '{column}'")


@pytest.mark.parametrize("column", ["IsDeleted", "isRemoved", "remove", "Delete", "tombstone"])
def test_a_removal_is_known_in_camel_case_and_as_a_verb(column: str) -> None:
    (row,) = read(f"md5,{column}\n{A},Y\n".encode())
    assert row == ListedHash("md5", bytes.fromhex(A), removed=True)


@pytest.mark.parametrize(
    ("column", "stops"),
    [
        *((name, word) for name in ("inactive", "fp", "IsFalsePositive") for word in ("1", "Y")),
        *((name, "2026-01-01") for name in ("date_removed", "removal_date", "deletedOn")),
        *((name, "2026-01-01") for name in ("Expires", "validUntil", "Ablaufdatum", "vervaldatum")),
        ("record_status", "withdrawn"),
        ("verdict", "benign"),
        ("Final Disposition", "false positive"),
        ("is_csam", "0"),
        ("isMalicious", "n"),
        *((name, "gestern") for name in ("gelöscht", "GELO\u0308SCHT", "Löschdatum", "Prüfstatus")),
        *(
            (name, "oui")
            for name in ("supprimé", "État", "retiré le", "faux_positif", "inoffensif")
        ),
        *((name, "sí") for name in ("eliminado", "Estado", "falso positivo", "retirada")),
        *((name, "x") for name in ("verwijderd", "ingetrokken", "vals-positief", "onschadelijk")),
        *((name, "x") for name in ("raderad", "borttagen", "återkallad", "falskt larm", "ofarlig")),
    ],
)
def test_a_name_that_speaks_of_removal_or_harmlessness_is_never_left_out(
    column: str, stops: str
) -> None:
    assert values(f"md5,{column}\n{A},\n") == [("md5", A)]
    assert refusal(f"md5,{column}\n{A},\n{B},{stops}\n").startswith("3: column ")
    assert "column" in refusal(json.dumps({"md5": A, column: stops}), "jsonl")


def test_ordinary_columns_stay_left_out() -> None:
    names = "notes,size,path,source,date_added,filename,first_seen,mime type,resolution,fileName"
    text = f"md5,{names}\n{A},removed it,12,/deleted/x,false,2026-01-01,a,b,c,d,e\n"
    assert values(text) == [("md5", A)]


@pytest.mark.parametrize(
    "label",
    ["NON_MALICIOUS", "false positive", "negative_class", "Negative-Class", "falsePositive"],
)
def test_a_label_that_says_harmless_leaves_the_row_out(label: str) -> None:
    rows = read(f"md5,label\n{A},{label}\n{B},A1\n".encode())
    assert [type(row) for row in rows] == [Unused, ListedHash]


@pytest.mark.parametrize("column", ["Quality (0-100)", "pdq_quality_score", "PDQ quality"])
def test_names_of_quality(column: str) -> None:
    rows = read(f"pdq,{column}\n{PDQ},49\n{'3d' * 32},50\n".encode())
    assert [type(row) for row in rows] == [Unused, ListedHash]


# -- separators, headers, encodings, line ends


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize(
    ("mark", "codec"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (b"", "windows-1252"),
    ],
)
def test_separators_encodings_and_line_ends(
    separator: str, end: str, quote: str, mark: bytes, codec: str
) -> None:
    rows = [("MD5 Hash", "SHA-1", "label"), (A, SHA1, "Größe"), (B, "", "ß, é; €")]
    if not quote:
        rows[2] = (B, "", "ß é €")
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in rows)
    found = list(read(mark + (text + end).encode(codec)))
    assert found == [
        ListedHash("md5", bytes.fromhex(A), "", "Größe"),
        ListedHash("sha1", bytes.fromhex(SHA1), "", "Größe"),
        ListedHash("md5", bytes.fromhex(B), "", rows[2][2]),
    ]


@pytest.mark.parametrize(
    ("header", "kind", "value"),
    [
        *((name, "md5", A) for name in ("MD5", "md5sum", "MD5 checksum", "md5_hash", "hash_md5")),
        *((name, "sha1", SHA1) for name in ("SHA-1", "sha1", "SHA1 Hash", "SHA_1", "File SHA1")),
        *((name, "sha256", SHA256) for name in ("SHA256", "SHA-256", "SHA2-256", "sha256 digest")),
        *((name, "pdq", PDQ) for name in ("PDQ hash", "pdq", "HASH_PDQ")),
        *((name, "md5", A) for name in ("hash", "Hash", "value", "indicator", "Hash Value")),
    ],
)
def test_names_of_columns(header: str, kind: str, value: str) -> None:
    assert values(f"{header}\n{value}\n") == [(kind, value)]
    assert values(f'"{header}";"size"\r\n"{value}";"12"\r\n') == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nmd5;label\n{A};a,b\n",
        '"sep=;"\r\nmd5;label\r\n{A};\r\n',
        "# exported\nmd5\n{A}\n",
        "#md5,label\n{A},x\n",
        "\n\nmd5,,\n{A},,\n,,\n",
        "md5\n{A}  pic.jpg\n",
        "{A}\n",
        "# a comment\n{A}\n\n",
        "{A}  pic 1.jpg\n",
        "{A} *pic.jpg\n",
        "\\{A}  a\\nb.jpg\n",
        "MD5 (a (1).jpg) = {A}\n",
        "MD5(a.jpg)= {A}\n",
        "Algorithm,Hash,Path\nMD5,{A},C:\\x\n",
        '#TYPE Selected\n"Algorithm","Hash","Path"\n"MD5","{A}","C:\\x"\n',
        "signal_type,signal_str,collab,category,tags\nvideo_md5,{A},c,POSITIVE_CLASS,a b\n",
        "md5,file name,country\n{A},true,NO\n",
        "type,indicator\nHASH_MD5,{A}\n",
        "md5,type,size\n{A},image/png,12\n",
        'md5 , label\n {A} , "a, b"\n',
    ],
)
def test_what_tools_write(text: str) -> None:
    assert values(text.replace("{A}", A)) == [("md5", A)]


def test_sums_keep_the_name_of_the_file() -> None:
    (row,) = read(f"{A}  pic 1.jpg\n".encode())
    assert row == ListedHash("md5", bytes.fromhex(A), "pic 1.jpg")
    found = values(f"SHA1 (b) = {SHA1}\nSHA256 (c) = {SHA256}\nSHA2-256(d)= {SHA256}\n")
    assert found == [("sha1", SHA1), ("sha256", SHA256), ("sha256", SHA256)]


def test_64_digits_without_a_name_are_asked_for() -> None:
    for text in (f"{PDQ}\n", f"{PDQ}  a.jpg\n", f"hash\n{PDQ}\n", f'{{"value": "{PDQ}"}}'):
        format = "jsonl" if text.startswith("{") else "csv"
        assert "--kind" in refusal(text, format)
        assert values(text, format, kind="sha256") == [("sha256", PDQ)]
        assert values(text, format, kind="pdq") == [("pdq", PDQ)]


def test_what_an_exchange_calls_harmless_is_not_banked() -> None:
    header = "signal_type,signal_str,collab,category,tags"
    rows = read(
        f"{header}\npdq,{PDQ},c,NEGATIVE_CLASS,\nvideo_md5,{A},c,POSITIVE_CLASS,\n".encode()
    )
    assert [type(row) for row in rows] == [Unused, ListedHash]


def test_quality_is_a_number_and_a_low_one_banks_nothing_but_its_own_hash() -> None:
    rows = read(f"pdq,md5,quality\n{PDQ},{A},49.0\n{'3d' * 32},,100.0\n{'3e' * 32},,\n".encode())
    assert [type(row) for row in rows] == [Unused, *[ListedHash] * 3]
    assert values(f"{PDQ},100,a, b.jpg\n", "pdq") == [("pdq", PDQ)]
    assert values(f"pdq;quality\n{PDQ};99,5\n") == [("pdq", PDQ)]
    for wrong in ("101", "-1", "0.98", "many", "1e2", "nan", "49%", "1,000"):
        assert "column 'quality'" in refusal(f"pdq;quality\n{PDQ};{wrong}\n")
    assert refusal(f"{PDQ},a.jpg\n", "pdq").startswith("1: quality")


# -- refused as a whole


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f'md5,label\n{A},"open\n{B},a\n{C},b\n', "2: a quote is left open"),
        (f'md5,label\n{A},"open\n{B},"\n{C},b\n', "2: a quote is left open"),
        (f'md5,label\n"{A},a\n', "2: a quote is left open"),
        (f'md5,label\n{A},"a"b\n', "2: a quote is left open or closed too early, in column"),
        (f"md5,label\n{A}\n", "2: it has 1 columns, and the header has 2"),
        (f"md5,label\n{A},a,b\n", "2: it has 3 columns"),
        (f"md5,label\n{A};a\n", "2: it has 1 columns"),
        (f"md5,MD5 Hash\n{A},{B}\n", "1: columns 'md5' and 'MD5 Hash' both claim to be the md5"),
        (f"md5,hash\n{A},{B}\n", "1: columns 'hash' and 'md5' both have hashes"),
        (f"md5,severity,category\n{A},a,b\n", "1: columns 'severity' and 'category'"),
        (f"md5;sha1,pdq\n{A};{SHA1}\n", "1: the columns of this header are separated by a"),
        (f"file,size\na,{A}\n", "1: no column has hashes"),
        (f"{A},a.jpg\n", "1: the first line has a hash and more"),
        (f"md5,label\n{A},a\n,b\n", "3: there is no hash in this row"),
        (f"md5,,\n{A},,x\n", "2: the value 'x' is in a column without a name"),
        ("md5\n1.2E+30\n", "2: column 'md5': '1.2E+30' is a number that a spreadsheet rounded"),
        ("hash\n1,2E+30\n", "2: '1,2E+30' is a number that a spreadsheet rounded"),
        (f"md5\n{A[:-1]}\n", "2: column 'md5': md5 is not hexadecimal"),
        (f"md5\n{A[:-2]}\n", "2: column 'md5': md5 needs 32 hex digits, not 30"),
        (f"{A}\n{A[:-2]}\n", "2: "),
        (f"{A}\n{SHA1}\n", "2: "),
        (f"{A}\n{SHA1}  b\n", "2: "),
        (f"hash\n{A}\n{SHA1}\n", "3: "),
        (f"md5\n{SHA1}\n", "2: column 'md5': md5 needs 32 hex digits, not 40"),
        (f"hash_type,value\nMD-5 hash of it,{A}\n", "2: column 'hash_type'"),
        (f"hash,type\n{A},image\n", "2: column 'type': 'image' may be the type of a file"),
        (f"hash,type\n{SHA256},video\n", "2: column 'type': 'video' may be the type of a file"),
        (f"hash_type,value\n,{A}\n", "2: column 'value' has a hash, but its kind is empty"),
        (f"md5\n{A}\0\n", "Row 2 has a NUL byte"),
        (b"\xff\xfe" + f"md5\n{A}\n".encode("utf-16-le")[:-1], "not in the encoding"),
        (b"\xff\xfe\0\0" + f"md5\n{A}\n".encode("utf-32-le"), "UTF-32"),
        (f"md5\n{A}\n".encode("utf-16-le"), "NUL byte"),
        (f"md5,label\n{A},é\n".encode() + f"{B},\xe9\n".encode("latin-1"), "Parts of the file"),
        (f"md5,label\n{A},".encode() + b"\x81\n", "encoding is unknown"),
        (b"PK\x03\x04" + bytes(30), "a workbook, an archive or a PDF"),
        (b"\x1f\x8b\x08" + bytes(30), "a workbook, an archive or a PDF"),
        (b"", "The file is empty"),
        ("\n\n", "1: the list has neither a header nor a hash"),
        (f'[{{"md5": "{A}"}}]', "1: this is JSON. Use --format jsonl"),
        ("<!DOCTYPE html><html>\n", "1: this is a web page or XML"),
        (f"md5,{'x,' * 300}\n{A}\n", "1: there are more than 200 columns"),
    ],
)  # fmt: skip
def test_a_list_is_refused_with_its_row_and_column(text: str | bytes, why: str) -> None:
    assert why in refusal(text)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f'{{"md5": "{A}", "md5": "{B}"}}', "both claim to be the md5"),
        (f'{{"md5": "{A}", "MD5": "{B}"}}', "both claim to be the md5"),
        ('{"md5": 1.2e30}', "is not a text in quotes"),
        ('{"md5": 12345678901234567890123456789012}', "is not a text in quotes"),
        ('{"md5": ["a"]}', "is not a text in quotes"),
        (f'{{"md5": "{A}", "label": {{"a": 1}}}}', "column 'label'"),
        (f'{{"md5": "{A}", "quality": true}}', "column 'quality'"),
        (f'{{"md5": "{A}"', "not JSON"),
        ("[1]", "not an object"),
        ("[" * 100_000, "1: "),
        ('{"n": ' + "9" * 6000 + "}", "not JSON"),
        (f'{{"size": "{A}"}}', "no column has hashes"),
    ],
)
def test_a_json_line_is_refused(line: str, why: str) -> None:
    assert why in refusal(f"{line}\n", "jsonl")


def test_a_page_that_was_downloaded_in_place_of_a_list_is_no_keyword() -> None:
    assert "web page" in refusal("<html>\n<p>sea shell\n", "keywords")
    assert "header" in refusal("Keyword\nsea shell\n", "keywords")
    assert values("# a comment\n#seashell\n", "keywords") == [("keyword", b"seashell".hex())]


def test_a_text_in_a_guessed_encoding_is_no_value() -> None:
    row = "keyword,muschelförmig".encode("windows-1252")
    assert "unknown encoding" in refusal(b"hash_type,value\n" + row + b"\n")


@pytest.mark.parametrize(
    "line",
    [
        "example.org/a\t2026-01-01",
        "http://example.org/a removed",
        '"http://example.org/a"',
        "'example.org'",
        "*.example.org",
        "http://*.example.org/a",
        "url,date",
        "example.org,2026-01-01",
        "http://example.org,removed",
        "someone@example.org",
        "Some One <someone@example.org>",
        "example.org/*",
        "http://example.org/a/*",
        "example.org/a*",
        "example.org/?*",
        "example.org/a.*",
        "https?://example.org/a",
        ".example.org",
        "192.0.2.0/24",
        "seashells",
        "localhost:8000/a",
        "4711",
        "0" * 31 + "f",
        "removed",
        "/a/b",
    ],
)
def test_a_line_that_is_no_url_refuses_the_list(line: str) -> None:
    assert refusal(f"other.example/x\n{line}\n", "urls").startswith("2: ")
    assert refusal(f"{line}\n", "urls").startswith("1: ")


def test_urls_are_read_as_people_write_them() -> None:
    for line in ("h**p://example[.]org/a", "https://example.org/a,b?q=*", "example.org/a%20b"):
        assert len(values(line, "urls")) == 1


@pytest.mark.parametrize(
    "line",
    [
        "sea shells,5",
        "sea shells;true",
        "sea shells\tA1",
        "sea shells|kelp",
        "shell*",
        "*shell*",
        "/shell.*/",
        "k*te",
        "http://example.org/a",
        "0f" * 16,
        "AB" * 32,
    ],
)
def test_a_line_that_is_no_keyword_refuses_the_list(line: str) -> None:
    assert refusal(f"sea shells\n{line}\n", "keywords").startswith("2: ")


def test_keywords_are_read_as_people_write_them() -> None:
    for line in ('"sea shells"', "sea, shells", "#seashells", "sea-shells!", "c4t", "hello, sea"):
        assert len(values(line, "keywords")) == 1


def test_what_an_earlier_version_banked_may_leave_the_bank() -> None:
    for kind, value in (("url", "someone@example.org"), ("url", "kelp"), ("keyword", "k*te")):
        (row,) = read_list(["hash_type,value,removed", f"{kind},{value},true"], "csv")
        assert isinstance(row, ListedHash)
        assert row.removed


@pytest.mark.parametrize("more", ["removed", " Removed", "a.jpg,removed", "false positive"])
def test_a_further_word_of_a_pdq_row_refuses_the_list(more: str) -> None:
    assert refusal(f"{PDQ},100,{more}\n", "pdq").startswith("1: ")


def test_a_file_of_a_pdq_row_may_have_any_name() -> None:
    assert values(f"{PDQ},100,deleted/removed.jpg\n", "pdq") == [("pdq", PDQ)]


# -- Project VIC


@pytest.mark.parametrize("name", ["category", "CATEGORY", "Category"])
def test_names_of_project_vic_are_read_in_any_case(name: str) -> None:
    media = {name: 1, "md5": A, "alternativehashes": [{"hashname": "SHA1", "HashValue": SHA1}]}
    rows = list(read_vic(io.BytesIO(json.dumps({"value": [media]}).encode()), {1}))
    assert [row.kind for row in rows if isinstance(row, ListedHash)] == ["md5", "sha1"]
    twice = {"Category": 1, "category": 2, "MD5": A}
    (row,) = read_vic(io.BytesIO(json.dumps({"value": [twice]}).encode()), {1})
    assert isinstance(row, BadRow)


@pytest.mark.parametrize(
    ("media", "why"),
    [
        ({"Category": True, "MD5": A}, "Category: 'True' is not a whole number"),
        ({"Category": 1.5, "MD5": A}, "Category"),
        ({"Category": "one", "MD5": A}, "Category"),
        ({"Category": 1, "MD5": 12}, "MD5: '12' is not a text in quotes"),
        ({"Category": 1, "MD5": A, "MediaID": {"a": 1}}, "MediaID"),
        ({"Category": 1, "AlternativeHashes": {"a": 1}}, "AlternativeHashes"),
        ({"Category": 1, "AlternativeHashes": [1]}, "AlternativeHashes"),
        ({"Category": 1, "AlternativeHashes": [{"HashName": 1}]}, "AlternativeHashes"),
        ({"Category": 1}, "no hash"),
        (["a"], "the entry is not an object"),
    ],
)
def test_an_entry_of_project_vic_is_refused(media: object, why: str) -> None:
    good = {"MediaID": 1, "Category": "1", "MD5": A}
    rows = list(read_vic(io.BytesIO(json.dumps({"value": [good, media]}).encode()), {1}))
    assert [type(row) for row in rows] == [ListedHash, BadRow]
    assert isinstance(rows[1], BadRow)
    assert why in rows[1].why


def test_an_entry_of_project_vic_without_a_category_is_named() -> None:
    media = [{"MediaID": 1, "Category": 1, "MD5": A}, {"MediaID": 2, "MD5": B}, {"Category": None}]
    rows = list(vic.read_vic(io.BytesIO(json.dumps({"value": media}).encode()), [1]))
    assert [type(row) for row in rows] == [ListedHash, Unused, Unused]
    assert [row.line for row in rows if isinstance(row, Unused)] == [2, 3]


def test_any_other_json_is_not_project_vic() -> None:
    for text in ("{}", "[]", '{"value": []}', '{"hashes": [1]}'):
        (row,) = read_vic(io.BytesIO(text.encode()), {1})
        assert isinstance(row, BadRow)


@pytest.mark.parametrize(
    "endless",
    [
        b'[{"MD5": "' + b"f" * (1 << 22),
        b'{"a": ' + b"[" * (1 << 22),
        b'{"a\\\\": "]", "b": ' + b'[{"\\"]": ' * 100_000,
    ],
    ids=["a text", "depth", "depth among texts"],
)
def test_project_vic_without_end_takes_no_memory(
    endless: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vic, "MAX_ITEM", 1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ListRefused, match=r"have no entry|levels deep"):
            list(read_vic(io.BytesIO(endless), {1}))
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


# -- bounds


def test_a_list_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"md5\n{A}\n{B}\n".encode()
    monkeypatch.setattr(listfiles, "MAX_ROWS", 2)
    with pytest.raises(ListRefused, match="more than 2 rows"):
        read(text)
    monkeypatch.setattr(listfiles, "MAX_BYTES", 20)
    with pytest.raises(ListRefused, match="more than 20 bytes"):
        read(text)
