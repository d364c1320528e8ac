"""The scan agrees with the slow and obvious way, whatever is added and removed."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kinward.matching.hamming import RADIUS, HammingIndex

hashes = st.binary(min_size=32, max_size=32)


def flip(value: bytes, bits: set[int]) -> bytes:
    number = int.from_bytes(value)
    for bit in bits:
        number ^= 1 << bit
    return number.to_bytes(32)


@given(hashes, st.sets(st.integers(0, 255), max_size=64))
def test_a_hash_is_found_exactly_within_the_radius(value: bytes, bits: set[int]) -> None:
    index = HammingIndex()
    index.add([7], [value])
    found = index.search(flip(value, bits))
    assert found == ([(7, len(bits))] if len(bits) <= RADIUS else [])


class Index(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.index, self.known = HammingIndex(), dict[int, bytes]()

    @rule(number=st.integers(0, 20), value=hashes)
    def add(self, number: int, value: bytes) -> None:
        self.index.add([number], [value])
        self.known.setdefault(number, value)

    @rule(numbers=st.lists(st.integers(0, 20), max_size=5))
    def remove(self, numbers: list[int]) -> None:
        self.index.remove(numbers)
        for number in numbers:
            self.known.pop(number, None)

    @rule(value=hashes, bits=st.sets(st.integers(0, 255), max_size=40), data=st.data())
    def search(self, value: bytes, bits: set[int], data: st.DataObject) -> None:
        if self.known:
            value = flip(data.draw(st.sampled_from(sorted(self.known.values()))), bits)
        distances = {
            number: (int.from_bytes(value) ^ int.from_bytes(known)).bit_count()
            for number, known in self.known.items()
        }
        near = {(number, d) for number, d in distances.items() if d <= RADIUS}
        found = self.index.search(value)
        assert set(found) == near
        assert [d for _, d in found] == sorted(d for _, d in found)

    @invariant()
    def sizes_agree(self) -> None:
        assert len(self.index) == len(self.known)


TestIndex = Index.TestCase
TestIndex.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
