"""What the classifier reads is told from what it does not, and other languages are named."""

import re

import pytest

from screening.language import LanguageDetector


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Hola guapa, me encantaría conocerte mejor, ¿quieres tomar un café mañana?", "es"),
        ("Привет, как дела? Чем занимаешься сегодня вечером?", "ru"),
    ],
)
def test_languages_of_the_model_are_named_and_judged(languages: LanguageDetector, text: str, code: str) -> None:
    found = languages.detect(text)
    assert (found.code, found.competent) == (code, True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Bonjour, tu fais quoi ce soir ? On pourrait aller boire un verre", "fr"),
        ("Γεια σου, τι κάνεις απόψε; Πάμε για έναν καφέ στην πλατεία;", "el"),
        ("你好，你今天过得怎么样", "zh"),
        ("مرحبا كيف حالك اليوم", "ar"),
    ],
)
def test_other_languages_are_named_and_not_judged(languages: LanguageDetector, text: str, code: str) -> None:
    found = languages.detect(text)
    assert found.code == code
    assert not found.competent


def test_a_language_is_read_in_the_letters_that_the_classifier_learnt_alone() -> None:
    reader = LanguageDetector(("en", "hi", "ru"), lambda text: 1.0)
    devanagari = reader.detect("तुम आज शाम को क्या कर रही हो, चलो कहीं बाहर मिलते हैं")
    assert (devanagari.code, devanagari.competent) == ("hi", False)
    assert reader.detect("Привет, как дела? Чем занимаешься сегодня вечером?").competent


@pytest.mark.parametrize(
    "text",
    [
        "I love hiking! What trails do you recommend?",
        "haha jaja omg",
        "ok",
        "😂😂😂",
        "",
        "im in 5th year lol, u?",
        "LOL NO WAY ARE YOU SERIOUS RIGHT NOW I CANT",
    ],
)
def test_english_and_what_is_too_short_to_tell_is_judged(languages: LanguageDetector, text: str) -> None:
    assert languages.detect(text).competent


@pytest.mark.parametrize(
    "text",
    ["shu akhbarak habibi kifak lyom", "ra7 2etlak enta w 3ayltak", "laa afham shu btehki enta hon"],
)
def test_what_no_detector_knows_is_told_by_its_unfamiliar_spelling(languages: LanguageDetector, text: str) -> None:
    found = languages.detect(text)
    assert (found.code, found.competent) == (None, False)
    assert LanguageDetector(("en",), lambda text: 1.0).detect(text).competent, "nothing else tells"


def test_links_and_handles_tell_no_language(languages: LanguageDetector) -> None:
    text = "pls sub: youtu.be/kxQ3zw9q @zzqk @xqwv_99"
    assert languages.detect(text).competent
    alien = LanguageDetector(("en",), lambda text: 0.0)
    assert alien.detect(text).competent, "too few words are left to tell"
    assert not alien.detect(re.sub("[@/.:]", "x", text)).competent, "it would not be English without its signs"


def test_hashtags_hide_no_language() -> None:
    alien = LanguageDetector(("en",), lambda text: 0.0)
    assert not alien.detect("#ana #bakrah #inti #wallah #shlonak").competent


@pytest.mark.parametrize(
    "text", ["Eyjafjallajökull", "Xochitl Quetzalcoatl", "sksksksk", "0176 33240098", "mdrrrr ptdrrr"]
)
def test_a_name_a_laugh_or_a_number_is_no_language(languages: LanguageDetector, text: str) -> None:
    assert languages.detect(text).competent


def test_a_short_text_in_a_script_that_is_not_read_is_not_taken_for_english(languages: LanguageDetector) -> None:
    assert not languages.detect("γεια").competent
