"""The founding architecture's scenarios and its examples by confidence level, over HTTP."""

import re
from pathlib import Path

import httpx2
import pytest

README = Path(__file__).parent.parent.parent / "README.md"
HIKING = "I love hiking! What trails do you recommend?"
MONEY = "Send me money on WhatsApp for crypto investment!"
PIG_BUTCHERING = (
    "Hey beautiful! I'm a crypto trader making $10k daily. Can we move this to WhatsApp? I want to share my "
    "investment strategy with you."
)
FRUSTRATED = (
    "I can't believe you haven't responded yet. This is really frustrating. I've been nothing but nice to you and "
    "you just ignore me like I don't matter."
)
PHOTOGRAPHY = "Hi! I saw we both love hiking and photography. Have you explored any trails in the area recently?"

EXAMPLES = [
    # text, kind, decision, violation, actions that the ladder allows, words of the text that the evidence quotes
    (HIKING, "message", "approved", None, {None}, ()),
    (MONEY, "message", "rejected", "scams", {"permanent_ban", "permanent_ban_and_report"}, ("money", "WhatsApp")),
    ("I've been investing in crypto and doing well...", "message", "escalated", None, {None}, ("crypto",)),
    ("You're frustrating me by not responding...", "message", "escalated", None, {None}, ()),
    ("I'm a successful entrepreneur traveling the world", "bio", "escalated", None, {None}, ("successful",)),
    (PIG_BUTCHERING, "message", "rejected", "scams", {"permanent_ban"}, ("crypto", "WhatsApp", "$10k daily")),
    (FRUSTRATED, "message", "escalated", None, {None}, ()),
    (PHOTOGRAPHY, "message", "approved", None, {None}, ()),
]


@pytest.mark.parametrize(("text", "kind", "decision", "violation", "actions", "quoted"), EXAMPLES)
async def test_the_brief_is_kept(
    api: httpx2.AsyncClient,
    text: str,
    kind: str,
    decision: str,
    violation: str | None,
    actions: set[str | None],
    quoted: tuple[str, ...],
) -> None:
    response = await api.post("/api/v1/moderate", json={"content": text, "content_type": kind, "user_id": "u1"})
    answer = response.json()
    assert response.status_code == 200, answer
    assert answer["decision"] == decision, answer["reasoning"]
    assert answer["action"] in actions
    if decision != "escalated":
        assert answer["violation_type"] == violation
    evidence = [entry for finding in answer["evidence"] for entry in finding["evidence"]]
    for words in quoted:
        assert any(words in entry["quote"] or words in text[entry["start"] : entry["end"]] for entry in evidence), (
            f"nothing points at {words!r}"
        )
    for entry in evidence:
        assert text[entry["start"] : entry["end"]] == entry["quote"]


async def test_confidence_meets_the_thresholds_that_were_applied(api: httpx2.AsyncClient) -> None:
    for text, kind, decision, *_ in EXAMPLES:
        response = await api.post("/api/v1/moderate", json={"content": text, "content_type": kind, "user_id": "u2"})
        answer = response.json()
        case = (await api.get(f"/api/v1/cases/{answer['case_id']}")).json()
        limits = case["machine"]["thresholds"]
        assert limits == {"auto_approve": 0.9, "auto_reject": 0.85, "escalate": 0.7}
        if decision == "approved":
            assert answer["confidence"] >= limits["auto_approve"]
            assert answer["risk_score"] == 0
        if decision == "rejected":
            assert answer["confidence"] >= limits["auto_reject"]
            assert answer["risk_score"] == pytest.approx(min(answer["confidence"] * 0.8, 1), abs=0.001)


async def test_the_readme_shows_the_answer_that_the_service_gives(api: httpx2.AsyncClient) -> None:
    shown = README.read_text("utf-8").partition("```json\n")[2].partition("```")[0]
    answer = (await api.post("/api/v1/moderate", json={"content": MONEY, "user_id": "user_456"})).json()
    for name, told in re.findall(r'"(decision|violation_type|severity|action)": "(\w+)"', shown):
        assert answer[name] == told
    for name, told in re.findall(r'"(confidence|risk_score)": ([\d.]+)', shown):
        # Processors round the model's arithmetic differently in the third digit.
        assert answer[name] == pytest.approx(float(told), abs=0.005)
    parts = r'"reasoning": "(.+?)…".+?"signal": "(.+?)", "weight": ([\d.]+), "evidence": \[{"quote": "(.+?)"'
    ((reasoning, signal, weight, quote),) = re.findall(parts, shown, re.DOTALL)
    assert answer["reasoning"].startswith(reasoning)
    first = answer["evidence"][0]
    assert (first["signal"], first["evidence"][0]["quote"]) == (signal, quote)
    assert first["weight"] == pytest.approx(float(weight), abs=0.05)
