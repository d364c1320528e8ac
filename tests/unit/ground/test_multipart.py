"""A form parses the same however its bytes arrive, and within bounds."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ground.multipart import MAX_PARTS, Form, Malformed

TYPE = "multipart/form-data; boundary=xyz"


def body(fields: dict[str, bytes], filename: str = "") -> bytes:
    parts = []
    for name, value in fields.items():
        suffix = f'; filename="{filename}"' if filename and name == "file" else ""
        head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"{suffix}\r\n\r\n'
        parts.append(head.encode() + value + b"\r\n")
    return b"".join(parts) + b"--xyz--\r\n"


@given(st.binary(max_size=400), st.lists(st.integers(1, 400), max_size=8))
def test_chunks_do_not_matter(value: bytes, cuts: list[int]) -> None:
    if b"\r\n--xyz" in value:
        return
    whole, form = body({"file": value, "a": b"1"}, "p.png"), Form(TYPE)
    edges = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for start, end in pairwise(edges):
        form.feed(whole[start:end])
    parts = form.finish()
    assert bytes(parts["file"].data) == value
    assert parts["file"].filename == "p.png"
    assert parts["a"].text == "1"
    assert parts["a"].filename is None


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "multipart/mixed; boundary=a"]
)
def test_other_types_are_refused(content_type: str) -> None:
    with pytest.raises(Malformed):
        Form(content_type)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"no boundary here",
        body({"a": b"1"})[:-6],
        body({f"n{i}": b"" for i in range(MAX_PARTS + 1)}),
        body({"a": b"1"})[:-9] + body({"a": b"2"}),
        b"--xyz\r\nContent-Disposition: form-data; name=" + b"a" * 9000 + b"\r\n\r\n1\r\n--xyz--",
        b"--xyz\r\n\r\nnameless\r\n--xyz--\r\n",
    ],
)
def test_broken_forms_are_malformed(sent: bytes) -> None:
    form = Form(TYPE)
    with pytest.raises(Malformed):
        form.feed(sent)
        form.finish()


def test_a_file_name_can_be_stored() -> None:
    form = Form(TYPE)
    form.feed(body({"file": b"x"}, "a\0b.png"))
    assert form.finish()["file"].filename == "a\ufffdb.png"
