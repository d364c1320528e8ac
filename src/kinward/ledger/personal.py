"""What `ledger` holds of a person: values of entries, which `forgetting` removes."""

from kinward.ground.personal import holds_nobody
from kinward.ledger.models import (
    CosignedTree,
    Entry,
    HashTile,
    HolderWord,
    Leaf,
    Log,
    LogRotation,
    SignedTree,
    StampedTree,
    WitnessWord,
    Words,
)

holds_nobody("entries, whose values and salts `ledger.forgetting` removes", Entry)
holds_nobody("what people typed for entries; it goes with the entry's data", Words)
holds_nobody(
    "hashes over commitments, from which nobody can guess",
    *(CosignedTree, HashTile, Leaf, Log, LogRotation, SignedTree, StampedTree),
)
holds_nobody(
    "what a witness or another holder, which are servers, said last", HolderWord, WitnessWord
)
