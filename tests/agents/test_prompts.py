"""Prompts hold the guidelines as they are, are pinned, and stop the start where one is missing or broken."""

import json
import os
import shutil
from pathlib import Path

import pytest

import agents
from agents.appeal_forms import AppealForm
from agents.material import Piece, marked_off, pieces_of, shortened
from agents.opinions import OpinionForm
from agents.prompts import Prompts
from cupidsshield.panel import prompts_for
from domain.errors import PolicyFileError
from domain.opinion import REMIT, Specialist
from domain.vocabulary import Policy
from policies.loader import load
from policies.render import as_text

POLICIES = load()
SHIPPED = Path(agents.__path__[0])
GOLDEN = Path(__file__).parent.parent / "golden" / "agents"
TEXTS = {policy: as_text(guideline) for policy, guideline in POLICIES.guidelines.items()}


def compare(name: str, text: str) -> None:
    """`UPDATE_GOLDEN=1 pytest …` writes them anew; a change of what models are told is meant to be seen."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("who", Specialist)
def test_what_a_specialist_is_told_is_pinned(who: Specialist) -> None:
    prompt = prompts_for(POLICIES).of(who)
    compare(f"{who}.md", f"hash {prompt.hash}, temperature {prompt.temperature}\n\n{prompt.text}\n")


def test_the_form_of_answers_is_pinned() -> None:
    compare("OpinionForm.json", json.dumps(OpinionForm.model_json_schema(), indent=1) + "\n")
    compare("AppealForm.json", json.dumps(AppealForm.model_json_schema(), indent=1) + "\n")


def test_what_the_appeal_reviewer_is_told_is_pinned() -> None:
    prompt = prompts_for(POLICIES).for_appeal([Policy.SCAMS])
    compare("appeal_reviewer.md", f"hash {prompt.hash}, temperature {prompt.temperature}\n\n{prompt.text}\n")


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ([Policy.SPAM], {Policy.SPAM}),
        ([Policy.SPAM, Policy.SCAMS, Policy.SPAM], {Policy.SPAM, Policy.SCAMS}),
        ([], set(Policy)),
    ],
)
def test_the_appeal_reviewer_is_told_the_guidelines_that_an_appeal_is_about(
    about: list[Policy], told: set[Policy]
) -> None:
    text = prompts_for(POLICIES).for_appeal(about).text
    assert {policy for policy in Policy if POLICIES.guideline(policy).rule.strip() in text} == told


def test_a_changed_guideline_changes_the_hash_of_readings_that_rest_on_it_alone() -> None:
    before, after = Prompts(TEXTS), Prompts({**TEXTS, Policy.SCAMS: TEXTS[Policy.SCAMS] + "\nAnd bets."})
    assert before.for_appeal([Policy.SCAMS]).hash != after.for_appeal([Policy.SCAMS]).hash
    assert before.for_appeal([Policy.SPAM]).hash == after.for_appeal([Policy.SPAM]).hash


def test_a_specialist_is_told_the_guidelines_of_its_remit_and_no_others() -> None:
    for who in Specialist:
        text = prompts_for(POLICIES).of(who).text
        assert {policy for policy in Policy if POLICIES.guideline(policy).rule.strip() in text} == set(REMIT[who])


def test_every_policy_has_a_specialist() -> None:
    assert sorted(policy for remit in REMIT.values() for policy in remit) == sorted(Policy)


def test_a_changed_guideline_changes_the_hash_of_those_alone_who_judge_by_it() -> None:
    before, after = Prompts(TEXTS), Prompts({**TEXTS, Policy.SCAMS: TEXTS[Policy.SCAMS] + "\nAnd bets."})
    changed = {who for who in Specialist if before.of(who).hash != after.of(who).hash}
    assert changed == {Specialist.SCAM_DETECTIVE}


def broken(folder: Path, name: str, text: str | None) -> Path:
    copy = folder / "agents"
    shutil.copytree(SHIPPED, copy, ignore=shutil.ignore_patterns("*.py*", "__pycache__"))
    path = copy / name
    path.unlink()
    if text is not None:
        path.write_text(text, "utf-8")
    return copy


HEAD = "---\npurpose: To tell one thing from another.\ntemperature: 0.0\noutput: opinion\n---\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("scam_detective/prompt.md", None),
        ("ground_rules.md", None),
        ("scam_detective/prompt.md", ""),
        ("appeal_reviewer/prompt.md", None),
        ("appeal_reviewer/ground_rules.md", None),
        ("appeal_reviewer/ground_rules.md", " "),
        ("appeal_reviewer/prompt.md", HEAD + "{{policies}} {{ground_rules}}"),
        ("scam_detective/prompt.md", "no front matter, {{policies}} {{ground_rules}}"),
        ("scam_detective/prompt.md", HEAD + "no place for policies {{ground_rules}}"),
        ("scam_detective/prompt.md", HEAD + "{{policies}} without ground rules"),
        ("scam_detective/prompt.md", HEAD + "{{policies}} {{ground_rules}} {{polices}}"),
        ("scam_detective/prompt.md", HEAD.replace("0.0", "hot") + "{{policies}} {{ground_rules}}"),
        ("scam_detective/prompt.md", HEAD.replace("opinion", "appeal") + "{{policies}} {{ground_rules}}"),
        ("scam_detective/prompt.md", HEAD.replace("purpose:", "aim:") + "{{policies}} {{ground_rules}}"),
    ],
)
def test_a_missing_or_broken_prompt_stops_the_start_and_is_named(tmp_path: Path, name: str, text: str | None) -> None:
    with pytest.raises(PolicyFileError, match=name):
        Prompts(TEXTS, broken(tmp_path, name, text))


def test_a_guideline_without_text_stops_the_start() -> None:
    with pytest.raises(PolicyFileError, match="scams"):
        Prompts({**TEXTS, Policy.SCAMS: " "})


def test_the_text_to_be_judged_goes_whole_in_both_forms_and_others_shortened() -> None:
    pieces = pieces_of("h3llo", "hello", [Piece("An earlier text", "a" * 5_000)])
    assert [piece.text for piece in pieces] == ["h3llo", "hello", shortened("a" * 5_000)]
    assert len(pieces_of("hello", "hello", [])) == 1


def test_marks_are_never_the_same_twice() -> None:
    pieces = pieces_of("hello", "hello", [])
    assert marked_off(pieces) != marked_off(pieces)
