"""The sieve never leaves out an expression that matches."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.corpus import rows
from screening.normalise import normalise
from screening.rules import Rules
from screening.sieve import Sieve, widened

PATTERNS = [
    r"\bcat\b",
    r"(?<![\w$])\$[a-z]{2,5}\b",
    r"^\s?no\s{1,3}more$",
    r"[^\w\s]{2,3}(?!x|[)]|(?:y))z",
    r"\u2026[\x41-\x43]|\d{3}",
    r"[]a][^\n]{0,4}\W\S",
    r"(a)\1",
    r"(?>ab)c",
    r"(?=q){2}ue",
    r"[\\[:alph]x",
]
SHARED = Sieve(PATTERNS)
SHIPPED = Rules.load()
SHIPPED_PATTERNS = [pattern for rule in SHIPPED.all for pattern in rule.patterns]
SHIPPED_SIEVE = Sieve(SHIPPED_PATTERNS)

pieces = st.sampled_from(
    [
        "cat",
        "$ab",
        " ",
        "no",
        "more",
        "\n",
        "…A",
        "123",
        "१२३",
        "aa",
        "abc",
        "que",
        "é",
        "ſ",
        "\ud800",
        "\x1d",
        "!?z",
        "]",
    ]
)
texts = st.lists(pieces | st.text(max_size=3), max_size=12).map("".join)


@given(texts)
def test_what_matches_is_possible(text: str) -> None:
    found = {place for place, pattern in enumerate(PATTERNS) if re.search(pattern, text)}
    assert found <= SHARED.possible(text)


@given(st.data())
def test_what_a_shipped_rule_matches_is_possible(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(SHIPPED_PATTERNS))
    text = data.draw(st.from_regex(pattern))
    found = {place for place, pattern in enumerate(SHIPPED_PATTERNS) if re.search(pattern, text)}
    assert found <= SHIPPED_SIEVE.possible(text)


def test_nothing_that_the_shipped_rules_find_in_the_corpus_is_lost() -> None:
    for row in rows(Path("data/corpus"), "calibration"):
        text = normalise(row.text).text.lower()
        found = {place for place, pattern in enumerate(SHIPPED_PATTERNS) if re.search(pattern, text)}
        assert found <= SHIPPED_SIEVE.possible(text), row.id


def test_most_is_left_out() -> None:
    assert SHIPPED_SIEVE.possible("hi there, how was your hike?") == frozenset()
    assert SHARED.possible("one dry humour") == {6, 7}, "what RE2 cannot read is tried everywhere"


def test_half_a_surrogate_pair_hides_nothing() -> None:
    assert SHARED.possible("cat\ud800") == frozenset(range(len(PATTERNS)))


def test_no_expressions_leave_nothing_possible() -> None:
    assert Sieve([]).possible("anything") == frozenset()


@pytest.mark.parametrize(
    ("pattern", "wide"),
    [
        (r"a(?=b(c[)]d)|e)f", "a(?:)f"),
        (r"x{2,5}y{3}$", "x{2,}y{3}(?:)"),
        (r"[^\w\s]", r"[\x{0}-\x{10ffff}]"),
        (r"[\x27\u2019]", r"[\x{27}\x{2019}]"),
        (r"\(\[", r"\(\["),
        (r"a{,3}", "a{0,}"),
    ],
)
def test_widening_drops_only_what_forbids(pattern: str, wide: str) -> None:
    assert widened(pattern) == wide
