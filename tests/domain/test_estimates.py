"""Shares and agreement against published figures, and what must hold of all of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.estimates import Kappa, Share, kappa

MARRIED = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]
"""91 couples, husband against wife (Hout, Duncan and Sobel 1987; in Agresti's Categorical Data Analysis)."""


def pairs_of(matrix: list[list[int]]) -> dict[tuple[str, str], int]:
    return {(str(i), str(j)): number for i, row in enumerate(matrix) for j, number in enumerate(row) if number}


class TestKappa:
    def test_two_readers_of_fifty_applications_agree_by_two_fifths(self) -> None:
        assert kappa(pairs_of([[20, 5], [10, 15]])).value == pytest.approx(0.4)

    def test_it_is_what_agresti_found_with_his_standard_error(self) -> None:
        found = kappa(pairs_of(MARRIED))
        assert found.value == pytest.approx(0.1293, abs=5e-5)
        assert found.low is not None
        assert found.high is not None
        assert (found.high - found.low) / 2 / 1.959964 == pytest.approx(0.0686, abs=5e-5)

    def test_as_often_as_by_chance_is_nothing(self) -> None:
        assert kappa(pairs_of([[25, 25], [25, 25]])).value == pytest.approx(0)

    def test_where_all_answers_are_alike_it_cannot_be_told(self) -> None:
        assert kappa({("a", "a"): 40}) == Kappa(pairs=40, agreed=Share(hits=40, of=40))

    def test_without_a_disagreement_there_is_no_interval(self) -> None:
        found = kappa({("a", "a"): 20, ("b", "b"): 20})
        assert (found.value, found.low, found.high) == (pytest.approx(1.0), None, None)

    def test_of_no_pairs_nothing_is_told(self) -> None:
        assert kappa({}).value is None

    @given(st.dictionaries(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), st.integers(1, 50), min_size=2))
    def test_it_lies_within_its_interval_and_does_not_ask_who_was_first(
        self, pairs: dict[tuple[str, str], int]
    ) -> None:
        found = kappa(pairs)
        turned = kappa({(other, one): number for (one, other), number in pairs.items()})
        if found.value is None or found.low is None or found.high is None:
            return
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert turned.value == pytest.approx(found.value)


class TestShare:
    @pytest.mark.parametrize(
        ("hits", "of", "low", "high"), [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (81, 263, 0.2553, 0.3662)]
    )
    def test_the_interval_is_wilsons(self, hits: int, of: int, low: float, high: float) -> None:
        assert Share(hits=hits, of=of).interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))

    def test_of_nothing_nothing_is_told(self) -> None:
        assert Share(hits=0, of=0).value is None
        assert Share(hits=0, of=0).interval == (0, 1)
