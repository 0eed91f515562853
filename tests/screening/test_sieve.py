"""The sieve never leaves out an expression that matches."""

import re
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from evals.corpus import rows
from screening.normalise import normalise
from screening.rules import Rules
from screening.sieve import Sieve, lead

SHIPPED = [pattern for rule in Rules.load().all for pattern in rule.patterns]
SHIPPED_SIEVE = Sieve(SHIPPED)

ONES = [
    "a",
    "b",
    " ",
    r"\.",
    ".",
    r"\w",
    r"\d",
    r"\s",
    r"\W",
    "[a-c]",
    r"[^\w\s]",
    "[^.\n]",
    r"[\s\x41]",
    r"\u2026",
    "é",
]
COUNTS = ["", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{,2}", "{2,}", "??", "+?", "{1,2}?"]
EDGES = ["", "", r"\b", "^", "$", r"(?<!\w)", "(?=a)", "(?!b)", r"(?![.a]|(?:b))"]
parts = st.tuples(st.sampled_from(EDGES), st.sampled_from(ONES), st.sampled_from(COUNTS)).map("".join)
patterns = st.recursive(
    parts,
    lambda inner: (
        st.tuples(
            st.sampled_from(["(?:", "(", "(?P<name>"]), st.lists(inner, min_size=1, max_size=3), st.sampled_from(COUNTS)
        ).map(lambda made: made[0] + "|".join(made[1]) + ")" + made[2])
        | st.lists(inner, min_size=1, max_size=3).map("".join)
    ),
    max_leaves=6,
)


@given(patterns, st.data())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None, max_examples=300)
def test_what_matches_is_possible(pattern: str, data: st.DataObject) -> None:
    try:
        compiled = re.compile(pattern)
    except re.error:
        assume(False)
    text = data.draw(st.from_regex(compiled) | st.text("ab .1…é\n\ud800", max_size=12))
    assert not compiled.search(text) or 0 in Sieve([pattern]).possible(text)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_a_shipped_rule_matches_is_possible(data: st.DataObject) -> None:
    text = data.draw(st.from_regex(data.draw(st.sampled_from(SHIPPED))))
    found = {place for place, pattern in enumerate(SHIPPED) if re.search(pattern, text)}
    assert found <= SHIPPED_SIEVE.possible(text)


def test_nothing_that_the_shipped_rules_find_in_the_corpus_is_lost() -> None:
    for row in rows(Path("data/corpus"), "calibration"):
        text = normalise(row.text).text.lower()
        found = {place for place, pattern in enumerate(SHIPPED) if re.search(pattern, text)}
        assert found <= SHIPPED_SIEVE.possible(text), row.id


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"[\\d]x", "dx"),
        (r"[\\w]x", "\\x"),
        (r"[\\u0041]z", "uz"),
        (r"[\\[:alph]x", "\\x"),
        (r"[[:alpha:]", "["),
        (r"a{03}c", "aaac"),
        (r"a{02,5}c", "aac"),
        (r"ab{,}c", "abbc"),
        ("x{२,३}", "x{२,३}"),
        (r"a{}", "a{}"),
        (r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\10", "abcdefghijj"),
        (r"(?i)i", "ı"),
        (r"(?x:a # ))(\nb)", "ab"),
        (r"(?>ab)c", "abc"),
        (r"a++b", "aab"),
        (r"\N{DIGIT ONE}", "1"),
        (r"no$", "no\n"),
        (r"(?:a.{0,9}b)?c", "c"),
        (r"x(?:a.{0,9}b)?c", "xc"),
        (r"x(?:a.{0,9}b){2}c", "xabaybc"),
        (r"(?:x{1,3}y){2}", "xxyxxxy"),
        ("\ud83d", "\ud83d"),
    ],
)
def test_odd_expressions_are_tried_where_they_match(pattern: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        assert not _matches(pattern, text) or 0 in Sieve([pattern]).possible(text)


def _matches(pattern: str, text: str) -> bool:
    try:
        return bool(re.search(pattern, text))
    except re.error:
        return False


def test_most_is_left_out() -> None:
    assert len(SHIPPED_SIEVE.possible("hi there, how was your hike?")) <= 3
    assert Sieve(["cat", r"(a)\1", "dog"]).possible("a dog") == {1, 2}, "what is not understood is tried everywhere"


def test_half_a_surrogate_pair_hides_nothing() -> None:
    assert SHIPPED_SIEVE.possible("cat\ud800") == frozenset(range(len(SHIPPED)))


def test_no_expressions_leave_nothing_possible() -> None:
    assert Sieve([]).possible("anything") == frozenset()


@pytest.mark.parametrize(
    ("pattern", "begins"),
    [
        (r"\ba(?=b(c[)]d)|e)f$", "af"),
        (r"(?:send|give) \w{1,15} money", "(?:send|give) [0-9A-Z_a-z\\x{80}-\\x{10ffff}]"),
        (r"ab(?:c.{0,4}d|e)f", "ab(?:c|e)"),
        (r"[a-z]{2,40}\.com", r"[a-z]{2}\.com"),
        (r"(?:\+?\d{1,3} )?(?:x|y)z", "(?:x|y)z"),
        (r"a(?:b ){0,3}c", "a(?:b ){0,}c"),
        (r"(?:^|\n)\W{0,6}(?:begin|end)", "(?:begin|end)"),
        (r"[^\w\s]{2}", r"[\x{0}-\x{10ffff}]{2}"),
        (r"[\x27\u2019]", r"[\x{27}\x{2019}]"),
    ],
)
def test_a_lead_is_what_every_match_holds_up_to_the_first_gap(pattern: str, begins: str) -> None:
    assert lead(pattern) == begins
