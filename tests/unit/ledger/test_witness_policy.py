"""Policies of trust: which logs, which witnesses, and how many must agree."""

import pytest

from kinward.ledger.checkpoints import Checkpoint
from kinward.ledger.notes import BadNote, Verifier
from kinward.ledger.witness_policy import BadPolicy, Policy, TooFewWitnesses, parse_policy
from tests.support.transparency import (
    CHECKPOINT,
    LOG_VKEY,
    ORIGIN,
    ROOTS,
    WITNESS_VKEY,
    Signer,
    log_signer,
    signed,
    witness_signer,
)

WITNESSES = [witness_signer(f"w{number}.example", 40 + number) for number in range(5)]
KEYS = [witness.verifier for witness in WITNESSES]
FIVE = "".join(f"witness W{number} {key.vkey}\n" for number, key in enumerate(KEYS))
TWO_LEVELS = f"""\
# Two communities watch each other.
log {LOG_VKEY} https://kinward.example/transparency
{FIVE}
group X 2 W0 W1 W2
  group\tY   any W3 W4\t
group both all X Y
quorum both
"""


def policy(text: str) -> Policy:
    return parse_policy(text.encode())


@pytest.mark.parametrize(
    ("cosigners", "met"),
    [
        ("", False),
        ("0", False),
        ("012", False),
        ("34", False),
        ("034", False),
        ("013", True),
        ("124", True),
        ("01234", True),
    ],
)
def test_a_quorum_of_two_levels(cosigners: str, met: bool) -> None:
    assert policy(TWO_LEVELS).is_met_by(KEYS[int(number)] for number in cosigners) is met


def test_a_key_counts_once_whatever_its_name() -> None:
    twins = [Verifier(name, 4, KEYS[0].public) for name in ("a.example", "b.example")]
    two = policy(f"log {LOG_VKEY}\n{FIVE}group G 2 W0 W1\nquorum G\n")
    assert not two.is_met_by(twins)
    with pytest.raises(BadPolicy, match="Line 2 of the policy: This key of a witness is already"):
        policy(f"witness A {twins[0].vkey}\nwitness B {twins[1].vkey}\nquorum none\n")


def test_a_checkpoint_is_held_to_the_policy() -> None:
    text = Checkpoint(ORIGIN, 8, ROOTS[8])
    enough = signed(text, log_signer(), *(WITNESSES[number] for number in (0, 1, 3)))
    checkpoint, opened = policy(TWO_LEVELS).open(enough)
    assert (checkpoint.size, len(opened.verified)) == (8, 4)
    with pytest.raises(TooFewWitnesses, match="Of the 5 known witnesses 2 cosigned"):
        policy(TWO_LEVELS).open(signed(text, log_signer(), *WITNESSES[:2]))
    with pytest.raises(BadNote, match="No known key"):
        policy("quorum none").open(enough)
    # Witnesses alone do not make a checkpoint.
    with pytest.raises(BadNote, match="No log of the policy"):
        policy(f"log {Signer('other.example', 9).verifier.vkey}\n{FIVE}quorum W0").open(enough)
    with pytest.raises(BadNote, match="its key is not"):
        policy(TWO_LEVELS).open(signed(Checkpoint("other.example", 8, ROOTS[8]), log_signer()))


def test_the_vector_is_accepted_with_its_witness() -> None:
    one = policy(f"log {LOG_VKEY}\nwitness one {WITNESS_VKEY} https://w.example\nquorum one\n")
    assert one.open(CHECKPOINT)[0].size == 8
    assert one.witnesses["one"].url == "https://w.example"


def test_names_are_bytes() -> None:
    kelvin = f"witness K {KEYS[0].vkey}\nquorum \u212a\n"
    with pytest.raises(BadPolicy, match="defines"):
        policy(kelvin)
    opaque = f"witness \xff {KEYS[0].vkey}\nquorum \xff\n".encode("latin-1")
    assert parse_policy(opaque).needs_witnesses
    # A no-break space is no white space of the format.
    spaced = f"witness a\u00a0b {KEYS[0].vkey}\nquorum a\u00a0b\n"
    assert policy(spaced).needs_witnesses


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "one line `quorum NAME`"),
        ("quorum none\nquorum none", "Line 2 of the policy: A policy has one quorum"),
        ("quorum", "Write `quorum"),
        ("quorum W9", "No line before this one defines 'W9'"),
        (f"quorum W0\n{FIVE}", "Line 1 of the policy: No line before"),
        ("trust everybody", "begins with log, witness, group, quorum"),
        ("log", "Write `log VKEY"),
        (f"log {LOG_VKEY} a b", "Write `log VKEY"),
        (f"log {LOG_VKEY}\nlog {LOG_VKEY}", "Line 2 of the policy: This key of this log"),
        (f"log {WITNESS_VKEY}", "type 0x01, not 0x04"),
        (f"witness W {LOG_VKEY}", "type 0x04, not 0x01"),
        ("witness W", "Write `witness"),
        (f"witness W {WITNESS_VKEY[:-1]}", "base64"),
        (f"witness none {WITNESS_VKEY}", "'none' is taken"),
        (f"{FIVE}group W0 any W1", "'W0' is taken"),
        (f"{FIVE}group G any none", "defines 'none'"),
        (f"{FIVE}group G any", "Write `group"),
        (f"{FIVE}group G 0 W0", "`any`, `all` or a number"),
        (f"{FIVE}group G 02 W0 W1", "`any`, `all` or a number"),
        (f"{FIVE}group G 3 W0 W1", "A group of 2 cannot ask for 3"),
        (f"{FIVE}group G any G", "defines 'G'"),
        (f"{FIVE}group G any W0 W0", "already a member"),
        (f"{FIVE}group G any W0\ngroup H any W0", "already a member"),
        ("quorum none\r\n", "control characters"),
        ("#" * 300_000, "at most"),
    ],
)
def test_a_malformed_policy_names_the_line(text: str, why: str) -> None:
    with pytest.raises(BadPolicy, match=why):
        policy(text)


def test_a_policy_has_a_bound() -> None:
    many = "".join(
        f"log {Signer(f'log{number}.example', number % 200).verifier.vkey}\n"
        for number in range(200)
    )
    assert len(policy(many + "quorum none").logs) == 200
