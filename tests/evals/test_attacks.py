"""Attacks change how a text is written and not what a person reads in it; their suite says what is still found."""

import ast
import inspect
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals import attacks
from evals.__main__ import main
from evals.attacks import ATTACKS, ODDITIES
from evals.judging import Text
from evals.report import read
from evals.small_talk import BEFORE_AND_AFTER, SENTENCES, among_small_talk
from evals.suites.obfuscation import CARELESS, by_policy

TEXT = "Send me money on WhatsApp tonight, or I will tell everyone where you live. https://pay.example/x1 @lisa_99"
SEEDS = range(5)
ALL = {**ATTACKS, **ODDITIES}


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


class TestEach:
    def test_there_are_twelve_attacks_and_some_oddities(self) -> None:
        assert len(ATTACKS) == 12
        assert len(ODDITIES) >= 6

    @pytest.mark.parametrize("name", ALL)
    def test_it_changes_a_text_in_the_same_way_each_time(self, name: str) -> None:
        for seed in SEEDS:
            assert ALL[name](TEXT, seed) == ALL[name](TEXT, seed) != TEXT

    @pytest.mark.parametrize("name", ATTACKS)
    def test_another_seed_strikes_elsewhere(self, name: str) -> None:
        assert len({ATTACKS[name](TEXT, seed) for seed in range(8)}) > 1

    @pytest.mark.parametrize(
        "name", [name for name in ATTACKS if name not in {"random casing", "spacing", "glued emoji"}]
    )
    def test_links_and_handles_keep_working(self, name: str) -> None:
        for seed in SEEDS:
            changed = ATTACKS[name](TEXT, seed)
            if not changed.isupper():
                assert "pay.example/x1" in changed.lower()
                assert "@lisa_99" in changed.lower()

    @pytest.mark.parametrize("name", ALL)
    @settings(max_examples=40, deadline=None)
    @given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60), seed=st.integers(0, 3))
    def test_it_takes_any_text(self, name: str, text: str, seed: int) -> None:
        assert isinstance(ALL[name](text, seed), str)

    @pytest.mark.parametrize("text", ["", "😂", "123", "ok"])
    def test_there_may_be_nothing_to_disguise(self, text: str) -> None:
        for change in ATTACKS.values():
            assert change(text, 1).strip() in {change(text, 1), text}

    def test_it_shares_nothing_with_what_it_measures(self) -> None:
        tree = ast.parse(inspect.getsource(attacks))
        modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        assert modules | names == {"collections.abc", "random", "re"}


class TestReadable:
    """What a person reads is still there."""

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("name", ["spacing", "line breaks"])
    def test_white_space_is_all_that_is_added(self, name: str, seed: int) -> None:
        assert squeezed(ATTACKS[name](TEXT, seed)) == squeezed(TEXT)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("name", ["zero-width characters", "tag characters"])
    def test_what_is_added_cannot_be_seen(self, name: str, seed: int) -> None:
        changed = ATTACKS[name](TEXT, seed)
        assert "".join(c for c in changed if unicodedata.category(c) != "Cf") == TEXT
        assert len(changed) > len(TEXT) + 10

    @pytest.mark.parametrize("seed", SEEDS)
    def test_letters_keep_their_places(self, seed: int) -> None:
        assert unicodedata.normalize("NFKC", ATTACKS["fullwidth letters"](TEXT, seed)) == TEXT
        assert ATTACKS["random casing"](TEXT, seed).lower() == TEXT.lower()
        for name in ("leet", "homoglyphs"):
            changed = ATTACKS[name](TEXT, seed)
            assert len(changed) == len(TEXT)
            kept = sum(a.lower() == b.lower() for a, b in zip(changed, TEXT, strict=True))
            assert len(TEXT) / 2 < kept < len(TEXT)

    @pytest.mark.parametrize("seed", SEEDS)
    def test_letters_are_drawn_out_and_none_is_lost(self, seed: int) -> None:
        def once(text: str) -> str:
            return re.sub(r"(.)\1+", r"\1", text)

        assert once(ATTACKS["repeated letters"](TEXT, seed)) == once(TEXT)

    @pytest.mark.parametrize("seed", SEEDS)
    @pytest.mark.parametrize("name", ["dots and dashes", "glued emoji"])
    def test_signs_stand_between_letters_that_are_all_there(self, name: str, seed: int) -> None:
        def letters(text: str) -> str:
            return "".join(re.findall(r"[^\W\d_]", text))

        assert letters(ATTACKS[name](TEXT, seed)) == letters(TEXT)

    def test_emoji_stand_for_words_and_letters(self) -> None:
        changed = {ATTACKS["emoji for letters or words"]("you will send money to my phone", seed) for seed in range(20)}
        assert any("💰" in text for text in changed)
        assert any("🫵" in text for text in changed)
        assert any(re.search("[🇦-🇿ⓐ-ⓩ]", text) for text in changed)

    def test_cyrillic_is_attacked_with_latin_letters(self) -> None:
        changed = ATTACKS["homoglyphs"]("пришли мне деньги сегодня вечером", 1)
        assert re.search("[a-z]", changed)
        assert changed != "пришли мне деньги сегодня вечером"

    def test_a_script_that_an_attack_does_not_know_stays(self) -> None:
        text = "मुझे अभी पैसे भेजो"
        changed = {name for seed in SEEDS for name, change in ATTACKS.items() if change(text, seed) != text}
        assert changed == {"glued emoji", "line breaks", "spacing"}

    @pytest.mark.parametrize("seed", SEEDS)
    def test_oddities_keep_the_text(self, seed: int) -> None:
        text = "Come round for tea, quiz at five"
        plain = unicodedata.normalize("NFKC", ODDITIES["fancy font"](text, seed))
        assert plain.lower() == text.lower() or "ᴏ" in plain
        assert text in ODDITIES["emoji wall"](text, seed)
        assert ODDITIES["spaced greeting"](text, seed).endswith(text)
        assert "".join(c for c in ODDITIES["light zalgo"](text, seed) if not unicodedata.combining(c)) == text
        assert ODDITIES["all capitals"](text, seed) == text.upper()
        assert ODDITIES["lower case, no punctuation"](text, seed) == "come round for tea quiz at five"


class TestSmallTalk:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_the_text_stands_whole_among_harmless_sentences(self, seed: int) -> None:
        put = among_small_talk("send me the code", seed)
        around = put.replace("send me the code.", "")
        said = [sentence for sentence in SENTENCES if sentence in around]
        assert BEFORE_AND_AFTER[0] <= len(said) <= BEFORE_AND_AFTER[1]
        assert len("".join(around.split())) == sum(len("".join(sentence.split())) for sentence in said)

    def test_it_may_stand_anywhere_and_keeps_its_own_end(self) -> None:
        put = [among_small_talk("who are you?", seed) for seed in range(60)]
        assert any(text.startswith("who are you?") for text in put)
        assert any(text.endswith("who are you?") for text in put)
        assert not any("?." in text for text in put)


def violation(number: int, *labels: str) -> Text:
    return Text(id=str(number), text="…", labels=frozenset(labels))


class TestSample:
    def test_policies_have_equal_shares_while_they_last(self) -> None:
        texts = [violation(i, "spam") for i in range(50)] + [violation(i, "hate") for i in range(50, 54)]
        texts += [violation(i, "scams") for i in range(60, 90)]
        chosen = by_policy(texts, 34)
        assert Counter(*[[min(text.labels) for text in chosen]]) == {"hate": 4, "scams": 15, "spam": 15}
        assert len({text.id for text in chosen}) == 34

    def test_a_text_of_two_policies_stands_with_the_rarer(self) -> None:
        texts = [violation(0, "spam", "hate"), violation(1, "spam"), violation(2, "spam"), violation(3, "spam")]
        assert texts[0] in by_policy(texts, 2)

    def test_few_texts_are_all_taken(self) -> None:
        texts = [violation(i, "spam") for i in range(3)]
        assert by_policy(texts, 250) == texts
        assert by_policy([], 250) == []


def test_the_suite_says_what_is_kept_under_each_attack(corpus: Path, model_folder: Path, tmp_path: Path) -> None:
    arguments = ["--corpus", str(corpus), "--model", str(model_folder), "--reports", str(tmp_path), "--limit", "6"]
    assert main(["obfuscation", *arguments]) == 0
    report = read("obfuscation", tmp_path)
    attacked, odd = report.tables
    assert [row[0] for row in attacked.rows] == list(ATTACKS)
    assert [row[0] for row in odd.rows] == ["as written", *ODDITIES]
    assert {row[1] for row in attacked.rows} == {"6"}
    assert all(len(row) == len(table.head) for table in report.tables for row in table.rows)
    figures = {figure.name: figure for figure in report.figures}
    assert 0 <= figures["recall of plain violations, flagged"].value <= 1
    gated = {name for name, figure in figures.items() if figure.gate is not None}
    assert gated == {
        "recall kept, flagged: mean over attacks",
        "recall kept, flagged: worst attack",
        "recall kept, not approved: mean over attacks",
        "recall kept, not approved: worst attack",
        *(f"recall kept in {name}, {way}" for name in CARELESS for way in ("flagged", "not approved")),
        "clean texts flagged, more than as written: worst oddity",
        "recall kept among small talk, flagged",
        "recall kept among small talk, not approved",
        "clean texts flagged among small talk, more than as written",
    }
