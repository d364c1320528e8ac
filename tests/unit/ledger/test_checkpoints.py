"""Checkpoints: the vector, and what is none."""

import pytest

from kinward.ledger.checkpoints import (
    BadCheckpoint,
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
)
from kinward.ledger.notes import BadNote, Note, Verifier, parse_note, sign_text
from tests.support.transparency import (
    CHECKPOINT,
    LOG_VKEY,
    ORIGIN,
    ROOTS,
    WITNESS_VKEY,
    log_signer,
    witness_signer,
)

LOG, WITNESS = Verifier.parse(LOG_VKEY), Verifier.parse(WITNESS_VKEY)
ROOT64 = "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="


def test_the_vector_is_read_and_written() -> None:
    checkpoint, opened = open_checkpoint(CHECKPOINT, LOG, [WITNESS])
    assert checkpoint == Checkpoint(ORIGIN, 8, ROOTS[8])
    assert checkpoint.text == parse_note(CHECKPOINT).text
    assert [verifier for verifier, _signature in opened.verified] == [LOG, WITNESS]


def test_the_witness_alone_is_not_enough() -> None:
    note = parse_note(CHECKPOINT)
    data = Note(note.text, note.signatures[1:]).to_bytes()
    with pytest.raises(BadNote, match=r"kinward\.example/ledger has not signed"):
        open_checkpoint(data, LOG, [WITNESS])


def test_another_origin_is_refused_unless_it_is_named() -> None:
    log = log_signer()
    text = Checkpoint("other.example/log", 8, ROOTS[8]).text
    data = Note(text, (sign_text(text, log.verifier, log.sign),)).to_bytes()
    with pytest.raises(BadCheckpoint, match=r"other\.example/log"):
        open_checkpoint(data, LOG)
    assert open_checkpoint(data, LOG, origin="other.example/log")[0].size == 8


def test_a_cosignature_is_no_signature_of_a_log() -> None:
    """One key in both parts: what it cosigned as a witness does not count as the log's word."""
    both = witness_signer(ORIGIN, 0)
    assert both.verifier.public == LOG.public
    assert both.verifier.key_id != LOG.key_id


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "three lines"),
        (f"{ORIGIN}\n8\n", "three lines"),
        (f"{ORIGIN}\n8\n{ROOT64}", "three lines"),
        (f"\n8\n{ROOT64}\n", "begins with its origin"),
        (f"{ORIGIN}\n08\n{ROOT64}\n", "leading zeros"),
        (f"{ORIGIN}\n+8\n{ROOT64}\n", "decimal"),
        (f"{ORIGIN}\n-8\n{ROOT64}\n", "decimal"),
        (f"{ORIGIN}\n 8\n{ROOT64}\n", "decimal"),
        (f"{ORIGIN}\n٨\n{ROOT64}\n", "decimal"),
        (f"{ORIGIN}\n9223372036854775808\n{ROOT64}\n", "below"),
        (f"{ORIGIN}\n99999999999999999999\n{ROOT64}\n", "decimal"),
        (f"{ORIGIN}\n8\n{ROOT64[:-1]}\n", "root"),
        (f"{ORIGIN}\n8\nAAAA\n", "32 bytes"),
        (f"{ORIGIN}\n0\n{ROOT64}\n", "empty tree"),
        (f"{ORIGIN}\n8\n{ROOT64}\n\n", "further lines"),
        (f"{ORIGIN}\n8\n{ROOT64}\n" + "more\n" * 17, "further lines"),
    ],
)
def test_what_is_no_checkpoint_says_why(text: str, why: str) -> None:
    with pytest.raises(BadCheckpoint, match=why):
        parse_checkpoint(text)


def test_a_further_line_stays_in_the_text_that_is_signed() -> None:
    text = f"{ORIGIN}\n8\n{ROOT64}\nfurther\n"
    assert parse_checkpoint(text).extensions == ("further",)
    assert parse_checkpoint(text).text == text
