"""`GET /api/v1/cases/{id}` alone explains a decision: everything here is worked out from that JSON and nothing else."""

import math
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from fastapi import FastAPI

from cupidsshield.bootstrap import House
from policies import loader
from tests.gateway.asking import CLEAN, DOUBTFUL, SCAM, cases_of, decided, got
from tests.gateway.conftest import MakeKey, client_of

TEXTS = {
    "clean": CLEAN,
    "doubt": DOUBTFUL,
    "a scam": SCAM,
    "a threat": "I know where you live and I will break your jaw next time I see you",
    "care": "I want to kill myself tonight, goodbye",
    "a minor": "it says 18 on here but I'm really 16",
    "hidden text": "S e n d  m e  m o n e y on w\u200bh\u200ba\u200bt\u200bs\u200ba\u200bp\u200bp",
    "drugs": "Got pills and snow, delivered in the city within the hour. Cash or transfer.",
    "Finnish": "Hyvää iltaa, haluaisitko lähteä kanssani kävelylle huomenna puistoon?",
}
each = pytest.mark.parametrize("what", TEXTS)
NO_PERSON_ASKED = {"approved", "rejected"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def told(web: FastAPI, make_key: MakeKey) -> AsyncIterator[httpx2.AsyncClient]:
    """A client whose app has a case about each text, by its name. Tests only read with it."""
    async with client_of(web, (await make_key()).key) as client:
        for what, text in TEXTS.items():
            await decided(client, text, content_id=what, user_id=what)
        yield client


async def case_of(client: httpx2.AsyncClient, what: str) -> dict[str, Any]:
    (line,) = await cases_of(client, content_id=what)
    return await got(client, f"/api/v1/cases/{line['id']}")


async def case_about(api: httpx2.AsyncClient, text: str, **fields: Any) -> dict[str, Any]:
    answer = await decided(api, text, **fields)
    return await got(api, f"/api/v1/cases/{answer['case_id']}")


def probability(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


def sums_of(case: dict[str, Any]) -> dict[str, float]:
    """Log-odds by policy: the sum of the weights of its signals."""
    sums: dict[str, float] = {}
    for signal in case["assessment"]["signals"]:
        if signal["policy"] and (signal["weight"] or signal["source"] == "classifier"):
            sums[signal["policy"]] = sums.get(signal["policy"], 0.0) + signal["weight"]
    return sums


def any_violation_of(case: dict[str, Any]) -> float:
    """Log-odds of any violation: what speaks of any, and the most that rules and circumstances say of one policy."""
    signals = case["assessment"]["signals"]
    beside: dict[str, float] = {}
    for signal in signals:
        if signal["policy"] and signal["source"] != "classifier":
            beside[signal["policy"]] = beside.get(signal["policy"], 0.0) + signal["weight"]
    of_any = sum(signal["weight"] for signal in signals if signal["policy"] is None)
    return of_any + max((weight for weight in beside.values() if weight), default=0.0)


def verdict_of(case: dict[str, Any]) -> tuple[str | None, float]:
    """The likeliest policy, or none, and how sure that is."""
    scores = {policy: probability(total) for policy, total in sums_of(case).items()}
    top = max(scores, key=scores.__getitem__)
    some = probability(any_violation_of(case))
    if max(scores[top], some) >= 0.5:
        return top, scores[top]
    return None, 1 - max(scores[top], some)


def decision_of(case: dict[str, Any]) -> str:
    """What the limits that the case names make of its assessment."""
    assessment, machine, limits = case["assessment"], case["machine"], case["machine"]["thresholds"]
    escaped = assessment["unavailable"] or assessment["floor"] == "legal" or machine["route"] in {"legal", "care"}
    if escaped:
        return "escalated"
    sure = assessment["confidence"]
    if assessment["policy"]:
        return "rejected" if sure >= limits["auto_reject"] else "escalated"
    return "approved" if sure >= limits["auto_approve"] and assessment["floor"] == "none" else "escalated"


@each
async def test_the_weights_of_the_signals_add_up_to_the_scores(told: httpx2.AsyncClient, what: str) -> None:
    case = await case_of(told, what)
    sums, scores = sums_of(case), case["assessment"]["scores"]
    assert sums.keys() == scores.keys()
    assert len(scores) == 9, "the classifier speaks of every policy"
    for policy, score in scores.items():
        assert score == pytest.approx(probability(sums[policy]), rel=1e-9)
    assert case["assessment"]["violation_probability"] == pytest.approx(probability(any_violation_of(case)), rel=1e-9)


@each
async def test_verdict_and_confidence_follow_from_the_scores(told: httpx2.AsyncClient, what: str) -> None:
    case = await case_of(told, what)
    policy, confidence = verdict_of(case)
    assert case["assessment"]["policy"] == policy
    foreign = any(signal["source"] == "language" for signal in case["assessment"]["signals"])
    if foreign:
        assert case["confidence"] < confidence
        assert f"{case['confidence']:.0%}" in case["reasoning"], "the cap is told in words"
    else:
        assert case["confidence"] == pytest.approx(confidence, rel=1e-9)


@each
async def test_the_decision_follows_from_the_assessment_and_the_limits_that_were_applied(
    told: httpx2.AsyncClient, what: str
) -> None:
    case = await case_of(told, what)
    assert case["decision"] == case["machine"]["kind"] == decision_of(case)
    machine = case["machine"]
    waits = case["decision"] not in NO_PERSON_ASKED
    assert bool(machine["route"] and machine["priority"] and machine["sla_hours"] and case["due_at"]) == waits
    assert bool(case["review_id"]) == waits
    assert machine["trigger"]
    assert machine["reasoning"]


@each
async def test_every_quote_stands_in_the_text_where_the_evidence_says(told: httpx2.AsyncClient, what: str) -> None:
    case = await case_of(told, what)
    kept = case["content"]["text"]
    for signal in case["assessment"]["signals"]:
        assert signal["reason"]
        for evidence in signal["evidence"]:
            assert kept[evidence["start"] : evidence["end"]] == evidence["quote"]


async def test_the_answer_to_the_app_is_the_same_story_in_short(told: httpx2.AsyncClient) -> None:
    for what, text in TEXTS.items():
        answer = await decided(told, text, content_id=what, user_id=what)
        case = await case_of(told, what)
        for name in ("decision", "violation_type", "severity", "action", "reasoning"):
            assert answer[name] == case[name]
        assert answer["confidence"] == pytest.approx(case["confidence"], abs=1e-4)
        assert answer["risk_score"] == pytest.approx(case["risk_score"], abs=1e-4)
        assert answer["policy_version"] == case["machine"]["policy_set"]
        weights = {signal["name"]: signal["weight"] for signal in case["assessment"]["signals"]}
        for finding in answer["evidence"]:
            assert finding["weight"] == pytest.approx(weights[finding["signal"]], abs=1e-3)


async def test_the_case_names_the_model_and_the_policies_that_decided(api: httpx2.AsyncClient, house: House) -> None:
    case = await case_about(api, SCAM)
    model = case["assessment"]["model"]
    assert model["name"] == house.settings.embedder
    assert model["version"]
    assert re.fullmatch("[0-9a-f]{64}", model["sha256"])
    policies = loader.load()
    assert case["machine"]["policy_set"] == policies.set_hash
    assert case["machine"]["policy_version"] == policies.guideline(case["machine"]["policy"]).version
    assert case["machine"]["thresholds"] == policies.thresholds_for(case["machine"]["policy"], "").model_dump()


@pytest.mark.parametrize(("text", "recalls"), [(CLEAN, False), (DOUBTFUL, True)], ids=["clean", "doubt"])
async def test_time_is_told_for_each_node_that_ran(api: httpx2.AsyncClient, text: str, recalls: bool) -> None:
    timings = (await case_about(api, text))["timings"]
    assert timings["nodes"].keys() == {
        "intake",
        "screening",
        "risk_assessment",
        "decision",
        *(["memory"] if recalls else []),
    }
    assert all(spent > 0 for spent in timings["nodes"].values())
    assert timings["total"] == pytest.approx(sum(timings["nodes"].values()))


async def test_similar_cases_are_shown_with_likeness_and_say_whether_they_vote(
    api: httpx2.AsyncClient, house: House
) -> None:
    first = await decided(api, DOUBTFUL, user_id="u1")
    (memory,) = [worker for worker in house.workers if worker.name == "memory"]
    await memory.drain()
    case = await case_about(api, DOUBTFUL, user_id="u2")
    (precedent,) = case["assessment"]["precedents"]
    assert precedent["case_id"] == first["case_id"]
    assert precedent["similarity"] == pytest.approx(1, abs=1e-3)
    assert (precedent["decision"], precedent["confirmed"]) == ("escalated", False)
    weights = [s["weight"] for s in case["assessment"]["signals"] if s["source"] == "memory"]
    assert all(weight == 0 for weight in weights), "what no person confirmed does not vote"
    told = await got(api, f"/api/v1/cases/{case['id']}/explanation")
    assert first["case_id"] in told["similar_cases"][0]


async def test_what_is_known_of_the_author_is_shown(api: httpx2.AsyncClient) -> None:
    before = await decided(api, SCAM, user_id="again")
    case = await case_about(api, TEXTS["hidden text"], user_id="again")
    assert (case["history"]["cases"], case["history"]["violations"]) == (1, 1)
    assert [past["case_id"] for past in case["history"]["recent"]] == [before["case_id"]]
    (signal,) = [signal for signal in case["assessment"]["signals"] if signal["source"] == "history"]
    assert signal["weight"] > 0


@each
async def test_the_explanation_tells_the_same_in_words(told: httpx2.AsyncClient, what: str) -> None:
    case = await case_of(told, what)
    words = await got(told, f"/api/v1/cases/{case['id']}/explanation")
    assert (words["case_id"], words["decision"]) == (case["id"], case["decision"])
    assert case["assessment"]["reasoning"] in words["summary"]
    assert case["machine"]["reasoning"] in words["summary"]
    assert case["machine"]["trigger"] in words["thresholds"]
    assert case["machine"]["policy_set"] in words["policy"]
    assert words["decided_by"] == "the machine alone"
    for signal in case["assessment"]["signals"]:
        told_of = any(signal["reason"] in finding for finding in words["findings"])
        if signal["weight"] > 0 or signal["floor"] != "none":
            assert told_of, signal
        elif signal["policy"] not in (case["assessment"]["policy"], None):
            assert not told_of, "that another policy is not violated explains nothing"
