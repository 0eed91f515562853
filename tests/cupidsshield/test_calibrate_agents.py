"""`cupidsshield calibrate-agents`, on a database of cases about which a model had spoken and people decided."""

import asyncio
import json
import math
import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from cupidsshield.cli.calibrate_agents import WEIGHTS
from cupidsshield.opinions import borne_of
from cupidsshield.settings import read_settings
from data import apps, cases, claims, decisions, migrate, outcomes
from data.database import Database
from data.review_table import ReviewRow
from data.statements import inserting
from domain.actor import system
from domain.assessment import Assessment
from domain.case import CaseRecord
from domain.opinion import AskReason, Consultation, Opinion, Reading, Specialist
from domain.review import HumanDecision
from domain.vocabulary import Action, DecisionKind, Policy, Severity
from policies.loader import load
from policies.opinion_weights import FittedWeights
from policies.score import log_odds
from tests import factories
from tests.cupidsshield.conftest import Run
from tests.cupidsshield.test_commands import objects_in, refused
from tests.policies.test_assess import assessed, decided, scam

RULES = load().thresholds.agents
CASES = 310
MODEL, PROMPT = "openai:judge", "0123456789abcdef"


def right(certainty: int) -> float:
    """How often this judge is: surer than the weights set by hand allow it to be."""
    return 0.6 + 0.078 * certainty


def case_of(app_id: str, lot: random.Random, prompt: str = PROMPT) -> tuple[CaseRecord, bool]:
    """A case in doubt of which the judge was asked, and whether it violates."""
    stood = lot.uniform(0.12, 0.8)
    violates = lot.random() < stood
    certainty = lot.randint(1, 5)
    reading = Reading.VIOLATES if violates is (lot.random() < right(certainty)) else Reading.FINE
    said = Opinion(
        specialist=Specialist.SCAM_DETECTIVE,
        reading=reading,
        policy=Policy.SCAMS if reading is Reading.VIOLATES else None,
        severity=Severity.MEDIUM if reading is Reading.VIOLATES else None,
        certainty=certainty,
        reasoning="It is so.",
        model=MODEL,
        prompt=prompt,
    )
    asked = Consultation(reason=AskReason.DOUBT, rounds=1, specialists=(said.specialist,), opinions=(said,))
    thought = assessed(scam(stood), consultation=asked)
    made = decided(thought)
    return factories.record(factories.content(app_id=app_id), made, thought), violates


def decide(session: Session, record: CaseRecord, violates: bool) -> None:
    """It waits for somebody, or is picked as a sample; a person claims it and decides as is true."""
    staff = factories.staff(app_ids=(record.content.app_id,))
    waiting = cases.get(session, app_id=record.content.app_id, case_id=record.case_id).review_id
    item = factories.review(record).model_copy(update={"id": waiting or f"review_of_{record.case_id}"})
    if waiting is None:
        session.execute(inserting(ReviewRow), ReviewRow.columns_of(item))
    held = claims.claim(session, staff=staff, review_id=item.id, lease=timedelta(minutes=5))
    decision = HumanDecision(
        case_id=record.case_id,
        reviewer="moderator_001",
        kind=DecisionKind.REJECTED if violates else DecisionKind.APPROVED,
        policy=Policy.SCAMS if violates else None,
        severity=Severity.MEDIUM if violates else None,
        action=Action.WARN if violates else None,
        reasoning="I read it twice.",
    )
    decisions.decide(
        session,
        staff=staff,
        review_id=item.id,
        epoch=held.epoch,
        decision=decision,
        messages=[],
        memory=None,
        undo=timedelta(),
    )


async def filled(folder: Path, number: int, *, samples: bool) -> None:
    settings = read_settings(data_dir=folder)
    migrate.upgrade(settings.database)
    database = Database(settings.database)
    await database.start()
    lot = random.Random(11)
    owner = await database.write(lambda session: apps.get_or_create(session, name="shop"))

    def work(session: Session) -> None:
        for at in range(number):
            record, violates = case_of(owner.id, lot)
            escalated = record.decision.kind is DecisionKind.ESCALATED
            review = factories.review(record) if escalated else None
            cases.record(session, record=record, review=review, messages=[], memory=None, actor=system(owner.id))
            if escalated or (samples and at % 2 == 0):
                decide(session, record, violates)

    await database.write(work)
    await database.close()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """A database with samples of what was decided alone, and one without."""
    found = {}
    for samples in (True, False):
        found[samples] = Path(tmp_path_factory.mktemp("asked"))
        asyncio.run(filled(found[samples], CASES, samples=samples))
    return found


@pytest.fixture
def with_samples(made: dict[bool, Path], nothing_set: Path) -> None:
    (nothing_set / "var").mkdir()
    shutil.copy(made[True] / "cupidsshield.db", nothing_set / "var")


@pytest.fixture
def without_samples(made: dict[bool, Path], nothing_set: Path) -> None:
    (nothing_set / "var").mkdir()
    shutil.copy(made[False] / "cupidsshield.db", nothing_set / "var")


def fitted(run: Run, *options: str) -> dict[str, Any]:
    ((found,),) = objects_in(run("calibrate-agents", "--output", "json", *options))
    assert isinstance(found, dict)
    return found


@pytest.mark.usefixtures("with_samples")
class TestWithSamples:
    def test_it_tells_what_outcomes_say_of_a_model_and_changes_nothing(self, run: Run, nothing_set: Path) -> None:
        found = fitted(run)
        assert (found["model"], found["bounded"], found["helps"]) == (MODEL, False, True)
        assert found["outcomes"] >= RULES.fitting.fewest
        assert found["samples"] >= RULES.fitting.fewest_samples
        assert abs(found["lean"]) < 0.6, "screening is as true here as it says"
        [judge] = found["judges"]
        assert (judge["prompt"], judge["specialist"]) == (PROMPT, Specialist.SCAM_DETECTIVE)
        assert judge["weights"]["fine"][4] > RULES.weights.fine[4], "this judge is better than was assumed"
        loss = next(measure for measure in found["reliability"] if measure["name"] == "log loss")
        assert loss["after"]["value"] < loss["before"]["value"]
        assert not list(nothing_set.rglob("*.json"))

    def test_for_people_it_prints_weights_beside_those_set_by_hand_and_what_they_rest_on(self, run: Run) -> None:
        text = " ".join(run("calibrate-agents").out.split())
        for part in ("by hand", "fitted", "log loss", "calibration error", PROMPT, "calibrate", "may follow them"):
            assert part in text
        assert "no weight rises" not in text

    def test_written_weights_are_used_by_their_setting_and_left_by_dropping_it(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        told = run("calibrate-agents", "--write", "mine")
        path = tmp_path / "mine" / WEIGHTS
        assert f"CUPIDSSHIELD_OPINION_WEIGHTS={path}" in told.err
        written = FittedWeights.load(path)
        assert written.version in told.err
        shipped = run("policies", "list").out
        monkeypatch.setenv("CUPIDSSHIELD_OPINION_WEIGHTS", str(path))
        assert run("policies", "list").out != shipped, "the set of policies is another"
        monkeypatch.delenv("CUPIDSSHIELD_OPINION_WEIGHTS")
        assert run("policies", "list").out == shipped
        assert "name another folder" in refused(run("calibrate-agents", "--write", "mine"))

    def test_a_file_that_is_broken_stops_the_start(
        self, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        run("calibrate-agents", "--write", "mine")
        path = tmp_path / "mine" / WEIGHTS
        content = json.loads(path.read_text("utf-8"))
        content["judges"][0]["weights"]["fine"][4] = 9.0
        path.write_text(json.dumps(content))
        monkeypatch.setenv("CUPIDSSHIELD_OPINION_WEIGHTS", str(path))
        assert "unset CUPIDSSHIELD_OPINION_WEIGHTS" in refused(run("moderate", "hello there"))

    @pytest.mark.parametrize("options", [("--since", "2999-01-01"), ("--app", "other")])
    def test_too_few_outcomes_are_told_with_how_many_there_must_be(self, run: Run, options: tuple[str, ...]) -> None:
        run("keys", "create", "--app", "other")
        told = refused(run("calibrate-agents", *options))
        assert "there are none" in told
        assert f"a model needs {RULES.fitting.fewest}" in told


@pytest.mark.usefixtures("without_samples")
def test_where_people_saw_no_sample_weights_only_fall_and_that_is_said(run: Run) -> None:
    found = fitted(run)
    assert found["bounded"]
    assert found["samples"] == 0
    for judge in found["judges"]:
        for side in ("violates", "fine"):
            by_hand = getattr(RULES.weights, side)
            assert all(weight <= limit for weight, limit in zip(judge["weights"][side], by_hand, strict=True))
    text = " ".join(run("calibrate-agents").out.split())
    assert "no weight rises above the one set by hand" in text
    assert "No person has looked at a sample of the" in text


class TestWhatAnOpinionIsHeldAgainst:
    def reviewed(self, policy: Policy | None, *said: Opinion, thought: Assessment | None = None) -> outcomes.Reviewed:
        asked = Consultation(reason=AskReason.DOUBT, rounds=1, opinions=said)
        assessment = thought or assessed(scam(0.4), consultation=asked)
        kind = DecisionKind.REJECTED if policy else DecisionKind.APPROVED
        return outcomes.Reviewed(
            case_id="case-1",
            assessment=assessment,
            machine=decided(assessment),
            decision=kind,
            policy=policy,
            asked_for=True,
            created_at=factories.record().created_at,
        )

    def opinion(self, reading: Reading, policy: Policy | None = None) -> Opinion:
        return Opinion(
            specialist=Specialist.SCAM_DETECTIVE,
            reading=reading,
            policy=policy,
            severity=Severity.LOW if policy else None,
            certainty=4,
            reasoning="It is so.",
            model=MODEL,
            prompt=PROMPT,
        )

    def test_it_stood_where_everything_but_models_had_put_it(self) -> None:
        [borne] = borne_of(self.reviewed(None, self.opinion(Reading.FINE)))
        assert borne.stood == pytest.approx(log_odds(0.4))
        assert math.isfinite(borne.stood)

    @pytest.mark.parametrize(
        ("named", "decided_policy", "violates"),
        [
            (Policy.SCAMS, Policy.SCAMS, True),
            (Policy.SPAM, Policy.SCAMS, False),
            (None, Policy.SPAM, True),
            (None, Policy.HATE, False),
            (None, None, False),
        ],
    )
    def test_a_violation_is_of_the_guideline_named_and_anything_else_of_the_remit(
        self, named: Policy | None, decided_policy: Policy | None, violates: bool
    ) -> None:
        said = self.opinion(Reading.VIOLATES if named else Reading.FINE, named)
        [borne] = borne_of(self.reviewed(decided_policy, said))
        assert borne.violates is violates

    def test_where_no_model_was_asked_there_is_nothing(self) -> None:
        assert borne_of(self.reviewed(None, thought=assessed(scam(0.4)))) == ()
