"""What training makes of a row must be fit for the row's own label."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from screening.training.sources import CLEAN, Example
from screening.training.variants import JOINED_CHARACTERS, MOST_BESIDE, Company, swapped

HATE = Example("No Muslims please, and no muslim food.", {"hate": 1.0}, None, "w1", "w1-s1", labels=frozenset({"hate"}))
SMALL_TALK = [
    replace(HATE, text=text, target={CLEAN: 1.0}, labels=frozenset({CLEAN}))
    for text in ("walked the dog", "Rain again!", "see you at six")
]


def _often(make: Callable[[random.Random], Example], wanted: Example, tries: int = 400) -> list[Example]:
    """What is made of a row where the dice let it be changed."""
    made = [make(random.Random(seed)) for seed in range(tries)]
    changed = [each for each in made if each != wanted]
    assert 0 < len(changed) < tries
    return changed


def test_a_group_changes_place_with_one_of_its_kind_everywhere_in_the_row_and_keeps_its_capital() -> None:
    for made in _often(lambda dice: swapped(HATE, dice), HATE):
        words = made.text.split()
        assert words[1][0].isupper()
        assert words[2:5] == ["please,", "and", "no"]
        assert made.text.endswith("food.")
        assert made.target == HATE.target
        assert made.labels == HATE.labels


def test_the_same_name_becomes_the_same_other_name() -> None:
    twice = replace(HATE, text="Koreans here, koreans there, KOREANS everywhere")
    for made in _often(lambda dice: swapped(twice, dice), twice):
        names = [word for word in made.text.split() if word not in ("here,", "there,", "everywhere")]
        assert len({name.lower() for name in names}) == 1
        assert names[2].isupper()


@pytest.mark.parametrize("row", [replace(HATE, lang="de"), replace(HATE, text="the gayest of days, a deafening sea")])
def test_other_languages_and_other_words_stay_as_they_are(row: Example) -> None:
    assert all(swapped(row, random.Random(seed)) == row for seed in range(200))


def test_a_row_stands_whole_among_harmless_ones_and_keeps_its_label() -> None:
    company = Company([*SMALL_TALK, HATE])
    places = set()
    for made in _often(lambda dice: company.joined(HATE, dice), HATE):
        assert HATE.text.rstrip(".") in made.text
        rest = made.text.replace(HATE.text.rstrip("."), "")
        assert sum(rest.count(row.text) for row in SMALL_TALK) in range(1, MOST_BESIDE + 1)
        assert made.labels == HATE.labels
        places.add(made.text.index(HATE.text.rstrip(".")) == 0)
    assert places == {True, False}


@pytest.mark.parametrize(
    "row",
    [
        replace(HATE, kind="bio"),
        replace(HATE, text="x" * (JOINED_CHARACTERS + 1)),
        replace(HATE, lang="tr"),
    ],
)
def test_bios_long_texts_and_languages_without_company_stay_alone(row: Example) -> None:
    company = Company(SMALL_TALK)
    assert all(company.joined(row, random.Random(seed)) == row for seed in range(200))


def test_nothing_violating_is_put_beside_a_row() -> None:
    company = Company([HATE, replace(HATE, target={CLEAN: 0.35, "hate": 0.65}, borderline=True)])
    clean = SMALL_TALK[0]
    assert all(company.joined(clean, random.Random(seed)) == clean for seed in range(200))
