"""Whole texts, end to end: the examples of the product's design land where they must."""

import base64
import math

import numpy as np
import pytest

from domain.content import Content, ContentContext
from domain.signals import Screening, Signal
from domain.vocabulary import ContentType, Floor, Policy, Severity, SignalSource
from screening.screen import Screener
from screening.signals import any_violation

APPROVE, REJECT = 0.90, 0.85
"""The shipped thresholds, which these examples were written for."""


def content(text: str, kind: ContentType = ContentType.MESSAGE, *, verified: bool = False) -> Content:
    return Content(
        app_id="app",
        content_id="c1",
        content_type=kind,
        text=text,
        user_id="u1",
        context=ContentContext(verified=verified),
    )


def chance(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def scores(screening: Screening) -> dict[Policy, float]:
    return {p: chance(sum(s.weight for s in screening.signals if s.policy is p)) for p in Policy}


def violation(screening: Screening) -> float:
    return chance(any_violation(screening.signals))


def clean(screening: Screening) -> float:
    return 1 - max(violation(screening), *scores(screening).values())


def signal(screening: Screening, name: str) -> Signal:
    return next(s for s in screening.signals if s.name == name)


@pytest.mark.parametrize(
    "text",
    [
        "I love hiking! What trails do you recommend?",
        "Hi! I saw we both love hiking and photography. Have you explored any trails in the area recently?",
    ],
)
async def test_friendly_texts_are_surely_clean(screener: Screener, text: str) -> None:
    assert clean(await screener.screen(content(text))) >= APPROVE


@pytest.mark.parametrize(
    "text",
    [
        "Send me money on WhatsApp for crypto investment!",
        "Hey beautiful! I'm a crypto trader making $10k daily. Can we move this to WhatsApp? "
        "I want to share my investment strategy with you.",
    ],
)
async def test_plain_scams_are_surely_scams(screener: Screener, text: str) -> None:
    screening = await screener.screen(content(text))
    assert scores(screening)[Policy.SCAMS] >= REJECT
    assert violation(screening) >= REJECT
    implied = [s.severity for s in screening.signals if s.policy is Policy.SCAMS and s.severity]
    assert max(s.rank for s in [*implied, screening.severities[Policy.SCAMS]]) >= Severity.HIGH.rank


@pytest.mark.parametrize(
    ("text", "kind", "policy"),
    [
        ("I've been investing in crypto and doing well...", ContentType.MESSAGE, Policy.SCAMS),
        ("You're frustrating me by not responding...", ContentType.MESSAGE, Policy.HARASSMENT),
        ("I'm a successful entrepreneur traveling the world", ContentType.BIO, Policy.FAKE_PROFILE),
        (
            "I can't believe you haven't responded yet. This is really frustrating. I've been nothing but nice to "
            "you and you just ignore me like I don't matter.",
            ContentType.MESSAGE,
            Policy.HARASSMENT,
        ),
    ],
)
async def test_doubtful_texts_stay_in_doubt(screener: Screener, text: str, kind: ContentType, policy: Policy) -> None:
    screening = await screener.screen(content(text, kind))
    found = scores(screening)
    assert clean(screening) < APPROVE
    assert max(found.values()) < REJECT
    assert max(found, key=found.__getitem__) is policy
    implied = [s.severity.rank for s in screening.signals if s.policy is policy and s.severity]
    assert max([screening.severities[policy].rank, *implied]) == Severity.LOW.rank


async def test_a_clean_text_costs_one_pass_and_bears_no_evidence(screener: Screener) -> None:
    screening = await screener.screen(content("See you at seven, I'll bring the wine"))
    assert all(s.evidence == () for s in screening.signals)
    assert {s.name for s in screening.signals} == {"classifier.violation", *(f"classifier.{p}" for p in Policy)}


async def test_the_words_behind_a_score_are_shown_where_they_stand(screener: Screener) -> None:
    text = "Morning! Send me 200 dollars in gift cards and then we can meet"
    screening = await screener.screen(content(text))
    evidence = signal(screening, "classifier.scams").evidence
    assert 1 <= len(evidence) <= 3
    assert all(text[e.start : e.end] == e.quote for e in evidence)
    assert any("gift" in e.quote or "dollars" in e.quote or "cards" in e.quote for e in evidence)


async def test_a_disguise_does_not_help_and_is_evidence_itself(screener: Screener) -> None:
    plain = await screener.screen(content("send money on whatsapp"))
    text = "s\u200bend m0ney on w h a t s a p p"
    disguised = await screener.screen(content(text))
    assert violation(disguised) >= violation(plain)
    hidden = signal(disguised, "hidden_text")
    assert hidden.source is SignalSource.HIDDEN_TEXT
    assert hidden.weight > 0
    assert all(text[e.start : e.end] == e.quote for s in disguised.signals for e in s.evidence)


async def test_a_stated_age_carries_a_legal_floor(screener: Screener) -> None:
    screening = await screener.screen(content("hi, im 15 yrs old"))
    assert signal(screening, "rule.stated_minor_age").floor is Floor.LEGAL
    assert scores(screening)[Policy.AGE_VERIFICATION] >= 0.5


async def test_verification_by_the_app_silences_the_success_profile(screener: Screener) -> None:
    text = "I'm a successful entrepreneur traveling the world"
    screening = await screener.screen(content(text, ContentType.BIO, verified=True))
    assert all(s.floor is Floor.NONE for s in screening.signals)


async def test_a_foreign_text_is_marked_as_beyond_the_model(screener: Screener) -> None:
    screening = await screener.screen(content("Γεια σου, θα ήθελα να σε γνωρίσω καλύτερα, πάμε για καφέ αύριο;"))
    assert not screening.language.competent
    assert signal(screening, "language.foreign").weight == 0


async def test_a_tongue_that_no_detector_knows_is_marked_too(screener: Screener) -> None:
    screening = await screener.screen(content("ra7 2etlak enta w 3ayltak"))
    assert not screening.language.competent
    assert "unknown language or spelling" in signal(screening, "language.foreign").reason


async def test_a_language_that_the_model_was_fitted_on_is_judged(screener: Screener) -> None:
    asking = await screener.screen(content("Mándame 200 dólares en tarjetas de regalo y luego nos vemos, mi amor"))
    greeting = await screener.screen(content("Hola, ¿cómo va tu domingo? Yo acabo de volver del mercado con mi abuela"))
    assert (asking.language.code, asking.language.competent) == ("es", True)
    assert violation(asking) > 3 * violation(greeting)


async def test_the_same_text_gets_the_same_answer_alone_and_in_a_crowd(screener: Screener) -> None:
    import asyncio

    text = content("You never answer me, what is wrong with you?")
    alone = await screener.screen(text)
    crowd = await asyncio.gather(*(screener.screen(content(f"hello number {n} " * (n % 9 + 1))) for n in range(30)))
    again = await screener.screen(text)
    assert len(crowd) == 30
    assert [s.weight for s in again.signals] == pytest.approx([s.weight for s in alone.signals], abs=1e-4)


@pytest.mark.parametrize("text", ["hello there", "SEND ME YOUR MONEY NOW", "s e n d me m0ney 😂"])
async def test_vectors_are_384_little_endian_floats_of_unit_length(screener: Screener, text: str) -> None:
    screening = await screener.screen(content(text))
    (embedded,) = await screener.embed([text])
    vector = np.frombuffer(base64.b64decode(screening.vector), dtype="<f4")
    assert vector.shape == (384,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-4)
    assert np.frombuffer(base64.b64decode(embedded), dtype="<f4") == pytest.approx(vector, abs=1e-5)


async def test_shouting_is_judged_as_speech_and_quoted_as_it_was_posted(screener: Screener) -> None:
    spoken = await screener.screen(content("Send me money on whatsapp"))
    shouted = await screener.screen(content("SEND ME MONEY ON WHATSAPP"))
    assert shouted.normalised == spoken.normalised
    assert shouted.vector == spoken.vector
    assert [s.weight for s in shouted.signals] == [s.weight for s in spoken.signals]
    quotes = {found.quote for signal in shouted.signals for found in signal.evidence}
    assert quotes
    assert all(quote.isupper() for quote in quotes)


@pytest.mark.parametrize("text", ["\u200b", "😂", " ", "a" * 20_000, "\u202e" * 500, "1", "\U000e0041" * 50])
async def test_odd_texts_are_screened_like_any_other(screener: Screener, text: str) -> None:
    screening = await screener.screen(content(text))
    assert all(math.isfinite(s.weight) for s in screening.signals)
