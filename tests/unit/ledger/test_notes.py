"""Signed notes: vectors of the specification and of a public log, and every way to be refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinward.ledger.notes import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    BadNote,
    Note,
    Signature,
    Verifier,
    cosign_text,
    decode64,
    open_note,
    parse_note,
    sign_text,
)
from tests.support.transparency import (
    CHECKPOINT,
    COSIGNED_AT,
    LOG_VKEY,
    WITNESS_VKEY,
    Signer,
    log_signer,
    witness_signer,
)

LOG, WITNESS = Verifier.parse(LOG_VKEY), Verifier.parse(WITNESS_VKEY)
SPEC = (
    "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    "This is an example message.\n",
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=",
)
PUBLIC = (
    "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
    "go.sum database tree\n63096908\n8lHrQPRYe4KT4WQ9/Qk8/taKnD6IRHbFgfN7vQE2Y54=\n",
    "Az3gri/oVBN1jAhNZ/iS+W31psFAWRT20/GyrhpU6taFwulQGetBkH5S7wpGXdS935jiIGiUUAXBVHzT/P6fYhqAmAk=",
)


def note_of(text: str, *lines: str) -> bytes:
    return (text + "\n" + "".join(f"{line}\n" for line in lines)).encode()


@pytest.mark.parametrize("vector", [SPEC, PUBLIC], ids=["specification", "public log"])
def test_the_vectors_of_strangers_verify(vector: tuple[str, str, str]) -> None:
    vkey, text, encoded = vector
    verifier = Verifier.parse(vkey)
    assert verifier.vkey == vkey
    opened = open_note(note_of(text, f"— {verifier.name} {encoded}"), [verifier])
    assert opened.text == text
    assert [who.name for who, _signature in opened.verified] == [verifier.name]


def test_a_plus_in_the_base64_of_a_key_is_read() -> None:
    assert "+" in PUBLIC[0].split("+", 2)[2]
    assert "+" in LOG_VKEY.split("+", 2)[2]
    assert Verifier.parse(LOG_VKEY).vkey == LOG_VKEY


def test_we_make_the_vector_with_its_cosignature() -> None:
    log, witness = log_signer(), witness_signer()
    assert (log.verifier.vkey, witness.verifier.vkey) == (LOG_VKEY, WITNESS_VKEY)
    text = parse_note(CHECKPOINT).text
    signatures = (
        sign_text(text, log.verifier, log.sign),
        cosign_text(text, COSIGNED_AT, witness.verifier, witness.sign),
    )
    assert Note(text, signatures).to_bytes() == CHECKPOINT
    assert signatures[1].cosigned_at == COSIGNED_AT
    assert len(open_note(CHECKPOINT, [LOG, WITNESS]).verified) == 2


@given(st.integers(0, len(CHECKPOINT) - 1), st.integers(1, 255))
def test_no_changed_byte_is_accepted(at: int, other: int) -> None:
    """A changed byte is refused, or it makes one of the two signatures unknown."""
    data = CHECKPOINT[:at] + bytes([CHECKPOINT[at] ^ other]) + CHECKPOINT[at + 1 :]
    try:
        opened = open_note(data, [LOG, WITNESS])
    except BadNote:
        return
    assert opened.text == parse_note(CHECKPOINT).text
    assert len(opened.verified) == len(opened.unknown) == 1


def test_an_unknown_key_is_ignored() -> None:
    opened = open_note(CHECKPOINT, [LOG])
    assert [signature.name for signature in opened.unknown] == [WITNESS.name]
    stranger = Signer("kinward.example/ledger", 0x40)
    assert stranger.verifier.name == LOG.name
    with pytest.raises(BadNote, match="No known key"):
        open_note(CHECKPOINT, [stranger.verifier])


def test_a_known_key_whose_signature_does_not_fit_rejects_the_note() -> None:
    note = parse_note(CHECKPOINT)
    good, other = note.signatures
    bad = Signature(other.name, other.key_id, bytes(72))
    assert open_note(Note(note.text, (good, bad)).to_bytes(), [LOG]).unknown == (bad,)
    with pytest.raises(BadNote, match=r"witness\.example/w1 does not fit"):
        open_note(Note(note.text, (good, bad)).to_bytes(), [LOG, WITNESS])
    short = Signature(good.name, good.key_id, good.value[:-1])
    with pytest.raises(BadNote, match="wrong length"):
        open_note(Note(note.text, (short,)).to_bytes(), [LOG])
    # Also where it stands behind a good one of the same key.
    with pytest.raises(BadNote, match="does not fit"):
        twice = Signature(good.name, good.key_id, bytes(64))
        open_note(Note(note.text, (good, twice)).to_bytes(), [LOG])


def test_a_note_without_a_known_signature_is_refused() -> None:
    with pytest.raises(BadNote, match="No known key"):
        open_note(CHECKPOINT, [])


def test_two_known_keys_of_one_name_and_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kinward.ledger.notes.key_id", lambda *parts: b"\x00\x01\x02\x03")
    one, two = Signer("log.example", 0).verifier, Signer("log.example", 9).verifier
    with pytest.raises(BadNote, match="Two known keys"):
        open_note(CHECKPOINT, [one, two])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "an empty line"),
        (b"a text\n", "an empty line"),
        (b"a text\n\n", "an empty line"),
        (b"a text\n\n\xe2\x80\x94 name AAAAAAA=", "ends with a newline"),
        (b"a text\n\n- name AAAAAAA=\n", "a dash, a name and base64"),
        (b"a text\n\n\xe2\x80\x94 name\n", "a dash, a name and base64"),
        (b"a text\n\n\xe2\x80\x94  AAAAAAA=\n", "1 to 255 characters"),
        (b"a text\n\n\xe2\x80\x94 na+me AAAAAAA=\n", "no plus sign"),
        ("a text\n\n— na\u00a0me AAAAAAA=\n".encode(), "no white space"),
        (b"a text\n\n\xe2\x80\x94 name AAAAAAA\n", "not base64"),
        (b"a text\n\n\xe2\x80\x94 name AAAAAAB=\n", "canonical"),
        (b"a text\n\n\xe2\x80\x94 name AAAAAA==\n", "too short"),
        ("a text\n\n— name ÄÄÄÄ\n".encode(), "not base64"),
        (b"a\ttext\n\n\xe2\x80\x94 name AAAAAAA=\n", "no control characters"),
        (b"a text\r\n\n\xe2\x80\x94 name AAAAAAA=\n", "no control characters"),
        (b"a text\xff\n\n\xe2\x80\x94 name AAAAAAA=\n", "UTF-8"),
        (b"a" * MAX_NOTE_BYTES + b"\n\n\xe2\x80\x94 name AAAAAAA=\n", "at most"),
        (b"a\n\n" + "— name AAAAAAA=\n".encode() * (MAX_SIGNATURES + 1), "at most"),
    ],
)
def test_a_malformed_note_says_why(data: bytes, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        parse_note(data)


def test_the_text_ends_at_the_last_empty_line() -> None:
    log = log_signer()
    text = "first\n\nsecond\n"
    note = Note(text, (sign_text(text, log.verifier, log.sign),)).to_bytes()
    assert open_note(note, [LOG]).text == text


def test_sixteen_large_signatures_are_read() -> None:
    large = [
        f"— w{number}.example {base64.b64encode(bytes(2428)).decode()}" for number in range(16)
    ]
    own = CHECKPOINT.decode().splitlines()
    data = note_of(parse_note(CHECKPOINT).text, *own[-2:], *large)
    assert len(open_note(data, [LOG, WITNESS]).unknown) == 16


@pytest.mark.parametrize(
    ("vkey", "why"),
    [
        ("", "NAME"),
        ("name+00000000", "NAME"),
        ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "1 to 255"),
        ("example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "key id"),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", "not base64"),
        ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3Q==", "32 bytes"),
        ("example.com/foo+530d903a+", "type before"),
        ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", "type 0x06"),
    ],
)
def test_a_malformed_key_says_why(vkey: str, why: str) -> None:
    with pytest.raises(BadNote, match=why):
        Verifier.parse(vkey)


@pytest.mark.parametrize("text", ["no newline", "tab\there\n", ""])
def test_a_text_that_no_note_may_have_is_not_signed(text: str) -> None:
    log = log_signer()
    with pytest.raises(BadNote, match="ends with a newline"):
        sign_text(text, log.verifier, log.sign)


def test_a_signer_that_signs_wrongly_is_noticed() -> None:
    log, other = log_signer(), Signer("other.example", 7)
    with pytest.raises(BadNote, match="does not fit"):
        sign_text("text\n", log.verifier, other.sign)


def test_base64_is_read_in_its_only_form() -> None:
    assert decode64("QUI=") == b"AB"
    for other in ("QUI", "QUJ=", "QU I=", "QUI=\n", "QUI_", "QUI=="):
        with pytest.raises(BadNote):
            decode64(other)
