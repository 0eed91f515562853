"""`cupidsshield calibrate` and `drift`, on a database of cases that the service made and people decided."""

import asyncio
import json
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session

import data
from cupidsshield.bootstrap import House, open_house
from cupidsshield.calibration_report import FEWEST
from cupidsshield.settings import read_settings
from data import apps, cases, claims, decisions, outcomes, reviews
from data.database import Database
from data.review_table import ReviewRow
from data.statements import inserting
from domain.actor import Actor, ActorKind
from domain.clock import now
from domain.ids import new_id
from domain.review import HumanDecision, ReviewItem, ReviewStatus
from domain.staff import Role
from domain.submission import Submission
from domain.vocabulary import Action, DecisionKind, Policy, Priority, Route, Scope, Severity
from gateway.schemas import ModerateRequest
from screening.calibration import Calibration
from screening.outcomes import log_odds, noticed_in
from tests import factories
from tests.cupidsshield.conftest import Run
from tests.cupidsshield.test_commands import objects_in, refused

ROWS = Path(data.__path__[0]) / "corpus" / "rows" / "w5.jsonl"
TEXTS = 180
EVERY = 3
"""One in so many of the cases decided alone is picked as a sample."""

YES, NO = DecisionKind.APPROVED, DecisionKind.REJECTED


def corpus() -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in ROWS.read_text("utf-8").splitlines()]
    random = np.random.default_rng(0)
    return [rows[index] for index in random.permutation(len(rows))[:TEXTS]]


def in_review(session: Session, app_id: str, case_id: str) -> str:
    """Put a case before people, as a sample, and give the review's id."""
    item = ReviewItem(
        id=new_id("review"),
        app_id=app_id,
        case_id=case_id,
        priority=Priority.LOW,
        route=Route.MODERATOR,
        status=ReviewStatus.PENDING,
        due_at=now() + timedelta(days=7),
        order_at=now() + timedelta(days=7),
        created_at=now(),
    )
    session.execute(inserting(ReviewRow), ReviewRow.columns_of(item))
    return item.id


def decide(session: Session, app_id: str, review_id: str, case_id: str, policy: Policy | None) -> None:
    """Somebody of the right role claims the item and decides: this policy is violated, or none."""
    for_legal = reviews.get(session, app_id=app_id, review_id=review_id).route is Route.LEGAL
    staff = factories.staff(role=Role.LEGAL if for_legal else Role.SENIOR, app_ids=(app_id,))
    held = claims.claim(session, staff=staff, review_id=review_id, lease=timedelta(minutes=5))
    decision = HumanDecision(
        case_id=case_id,
        reviewer="moderator_001",
        kind=NO if policy else YES,
        policy=policy,
        severity=Severity.MEDIUM if policy else None,
        action=Action.WARN if policy else None,
        reasoning="As its writer meant it.",
    )
    decisions.decide(
        session,
        staff=staff,
        review_id=review_id,
        epoch=held.epoch,
        decision=decision,
        messages=[],
        memory=None,
        undo=timedelta(),
    )


async def decided(house: House) -> Counter[str]:
    """Texts go through the service; people decide what it escalated, and one in EVERY of the others."""
    owner = await house.database.write(lambda session: apps.get_or_create(session, name="shop"))
    actor = Actor(kind=ActorKind.APP, id="key_1", app_id=owner.id, scopes=frozenset({Scope.MODERATE}))
    made: Counter[str] = Counter()
    for row in corpus():
        request = ModerateRequest(content=row["text"], user_id=f"user-{row['id']}", content_id=row["id"])
        answer = await house.runs.moderate(Submission(content=request.to_content(owner.id)), actor)
        made[answer.decision] += 1
        policy = None if row["policy"] == "clean" else Policy(row["policy"])

        def work(session: Session, answer: Any = answer, policy: Policy | None = policy) -> None:
            escalated = answer.decision is DecisionKind.ESCALATED
            case_id = answer.case_id
            waiting = cases.get(session, app_id=owner.id, case_id=case_id).review_id
            review = waiting if escalated else in_review(session, owner.id, case_id)
            assert review is not None, "what is escalated waits for somebody"
            decide(session, owner.id, review, case_id, policy)

        if answer.decision is DecisionKind.ESCALATED or made[answer.decision] % EVERY == 0:
            await house.database.write(work)
            made["decided by people"] += 1
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counter[str]]:
    """A data directory with a database of decided cases, and how many there are of which."""
    folder = Path(tmp_path_factory.mktemp("decided"))

    async def run() -> Counter[str]:
        async with open_house(read_settings(data_dir=folder)) as house:
            return await decided(house)

    return folder, asyncio.run(run())


@pytest.fixture
def numbers(made: tuple[Path, Counter[str]], nothing_set: Path) -> Counter[str]:
    """A copy of that database in this test's own folder."""
    folder, counted = made
    (nothing_set / "var").mkdir()
    shutil.copy(folder / "cupidsshield.db", nothing_set / "var")
    return counted


def calibrated(run: Run, *options: str) -> dict[str, Any]:
    (found,) = objects_in(run("calibrate", "--output", "json", *options))
    return found


class TestCalibrate:
    def test_it_tells_how_true_confidences_are_and_what_thresholds_budgets_allow(
        self, run: Run, numbers: Counter[str], nothing_set: Path
    ) -> None:
        before = sorted(nothing_set.rglob("*.json"))
        found = calibrated(run)
        left_out = sum(found["left_out"].values())
        assert found["outcomes"] + left_out == numbers["decided by people"]
        assert found["outcomes"] >= FEWEST
        assert 0 < found["violations"] < found["outcomes"]
        assert found["stands_for"] == pytest.approx(TEXTS, abs=0.01 + EVERY * left_out), "samples stand for all"
        for measure in found["reliability"]:
            for side in ("before", "after"):
                assert measure[side]["low"] <= measure[side]["high"]
        assert {(line["side"], line["which"]) for line in found["standing"]} == {
            (side, which) for side in ("approve", "reject") for which in ("in use", "refitted")
        }
        assert all(line["error"] <= line["bound"] for line in found["standing"])
        wanted = [choice for choice in found["choices"] if choice["wanted"]]
        assert {choice["limit"]["budget"] for choice in wanted} == {0.02}
        assert len(wanted) == 4
        assert sorted(nothing_set.rglob("*.json")) == before, "nothing is written"

    def test_for_people_it_names_methods_and_says_what_cannot_be_shown(self, run: Run, numbers: Counter[str]) -> None:
        shown = run("calibrate", "--budget-approve", "0.001", "--confidence", "0.99")
        assert shown.code == 0
        text = " ".join(shown.out.split())
        for part in ("Reliability", "Thresholds in force", "Budgets", "Clopper–Pearson", "Learn then Test", "99%"):
            assert part in text
        assert "│ none │" in text, "so few cases show no error below one in a thousand"
        assert "outcomes of" in text

    def test_the_refitted_calibration_is_closer_to_what_people_decided(
        self, run: Run, numbers: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """Half of the corpus violates, and the shipped calibration assumes hardly any to."""
        run("calibrate", "--write", "mine")
        monkeypatch.setenv("CUPIDSSHIELD_CALIBRATION", str(tmp_path / "mine" / "calibration.json"))
        found = calibrated(run)
        own = calibrated_without_setting(run, monkeypatch)

        def loss(of: dict[str, Any]) -> float:
            return next(m["before"]["value"] for m in of["reliability"] if m["name"].startswith("log loss"))

        assert loss(found) < loss(own)

    def test_what_is_exported_is_what_is_read_and_holds_no_text(self, run: Run, numbers: Counter[str]) -> None:
        assert run("calibrate", "--export", "found.jsonl").code == 0
        assert calibrated(run, "--outcomes", "found.jsonl") == calibrated(run)
        written = Path("found.jsonl").read_text("utf-8")
        assert written.count("\n") == calibrated(run)["outcomes"]
        assert [row["text"] for row in corpus() if row["text"] in written] == []
        assert "user-" not in written
        assert "moderator_001" not in written

    def test_the_written_calibration_is_used_by_its_setting_and_left_by_dropping_it(
        self, run: Run, numbers: Counter[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        def weights(text: str) -> dict[str, float]:
            (answer,) = objects_in(run("moderate", text, "--output", "json"))
            return {finding["signal"]: finding["weight"] for finding in answer["evidence"]}

        shipped = read_settings().calibration_file
        told = run("calibrate", "--write", "mine/2026")
        path = tmp_path / "mine" / "2026" / "calibration.json"
        assert f"CUPIDSSHIELD_CALIBRATION={path}" in told.err
        written = Calibration.load(path)
        assert written.base_rate == 0.05
        assert written.rules == Calibration.load(shipped).rules
        assert written.model is not None
        text = "Send me money on WhatsApp for crypto investment!"
        before = weights(text)
        monkeypatch.setenv("CUPIDSSHIELD_CALIBRATION", str(path))
        monkeypatch.setenv("CUPIDSSHIELD_DATA_DIR", "other")
        after = weights(text)
        assert before.keys() & after.keys()
        assert before != after
        monkeypatch.delenv("CUPIDSSHIELD_CALIBRATION")
        monkeypatch.setenv("CUPIDSSHIELD_DATA_DIR", "third")
        assert weights(text) == before

    def test_a_calibration_in_place_is_never_overwritten(self, run: Run, numbers: Counter[str]) -> None:
        own = read_settings().model_folder
        before = (own / "calibration.json").read_bytes()
        assert "name another folder" in refused(run("calibrate", "--write", str(own)))
        assert (own / "calibration.json").read_bytes() == before
        run("calibrate", "--write", "mine")
        assert "name another folder" in refused(run("calibrate", "--write", "mine"))

    def test_a_calibration_of_another_model_is_refused(
        self, run: Run, numbers: Counter[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("calibrate", "--write", "mine")
        path = Path("mine/calibration.json")
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**content, "model": {**content["model"], "sha256": "0" * 64}}))
        monkeypatch.setenv("CUPIDSSHIELD_CALIBRATION", str(path))
        for command in (("calibrate",), ("drift",), ("moderate", "hello there")):
            assert "cannot weigh those of" in refused(run(*command))

    def test_budgets_are_shown_beside_the_usual_ones(self, run: Run, numbers: Counter[str]) -> None:
        found = calibrated(run, "--budget-approve", "0.4", "--budget-reject", "0.5", "--confidence", "0.8")
        wanted = [choice for choice in found["choices"] if choice["wanted"]]
        assert {(choice["side"], choice["limit"]["budget"]) for choice in wanted} == {("approve", 0.4), ("reject", 0.5)}
        limits = [choice["limit"] for choice in wanted]
        assert any(limit["threshold"] for limit in limits)
        for limit in limits:
            if limit["threshold"] is None:
                assert limit["missing"] > 0
            else:
                assert limit["bound"] <= limit["budget"]
                assert 0 < limit["automation"] < 1


def calibrated_without_setting(run: Run, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.delenv("CUPIDSSHIELD_CALIBRATION")
    return calibrated(run)


class TestRefusals:
    @pytest.mark.parametrize("options", [(), ("--since", "2999-01-01"), ("--app", "other")])
    def test_too_few_outcomes_are_told_with_how_many_there_must_be(
        self, run: Run, numbers: Counter[str], options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("keys", "create", "--app", "other")
        if not options:
            monkeypatch.setenv("CUPIDSSHIELD_DATA_DIR", "empty")
        told = refused(run("calibrate", *options))
        assert f"there are 0, 0 of them violations; needed are at least {FEWEST}" in told

    def test_outcomes_of_another_model_are_left_out_and_counted(self, run: Run, numbers: Counter[str]) -> None:
        run("calibrate", "--export", "found.jsonl")
        lines = [json.loads(line) for line in Path("found.jsonl").read_text("utf-8").splitlines()]
        other = {**lines[0], "model": {**lines[0]["model"], "sha256": "0" * 64}}
        Path("mixed.jsonl").write_text("\n".join(json.dumps(line) for line in [*lines, other]))
        assert calibrated(run, "--outcomes", "mixed.jsonl")["left_out"] == {"another model": 1}
        Path("other.jsonl").write_text("\n".join(json.dumps({**line, "model": other["model"]}) for line in lines))
        assert f"{len(lines)} were left out: another model" in refused(run("calibrate", "--outcomes", "other.jsonl"))

    def test_an_unknown_app_is_refused(self, run: Run, numbers: Counter[str]) -> None:
        assert "no app 'nobody'" in refused(run("calibrate", "--app", "nobody"))
        assert "no app 'nobody'" in refused(run("drift", "--app", "nobody"))

    @pytest.mark.parametrize(
        ("line", "told"),
        [("{", "bad.jsonl:1: not an outcome"), ('{"case_id": "c"}', "bad.jsonl:1: not an outcome: model: Field")],
    )
    def test_a_line_that_is_no_outcome_is_named(self, run: Run, tmp_path: Path, line: str, told: str) -> None:
        (tmp_path / "bad.jsonl").write_text(f"{line}\n")
        assert told in refused(run("calibrate", "--outcomes", "bad.jsonl"))

    def test_a_file_that_is_not_there_and_options_that_contradict(self, run: Run) -> None:
        assert "none.jsonl: cannot be read" in refused(run("calibrate", "--outcomes", "none.jsonl"))
        assert "for the database" in refused(run("calibrate", "--outcomes", "a.jsonl", "--app", "shop"))


class TestDrift:
    @pytest.fixture
    def with_reference(self, numbers: Counter[str], monkeypatch: pytest.MonkeyPatch) -> Any:
        """Sets a calibration whose reference is what these very cases score, moved by so much."""

        def chosen(moved: float, fewest: int = 100) -> None:
            settings = read_settings()
            calibration = Calibration.load(settings.model_folder / "calibration.json")
            seen = [noticed for a in assessments() if (noticed := noticed_in(a.signals, a.model))]
            deciles = np.quantile(log_odds(seen, calibration)[:, -1], np.arange(1, 10) / 10) + moved
            path = Path("reference.json")
            path.write_text(calibration.model_copy(update={"reference": tuple(deciles.tolist())}).model_dump_json())
            monkeypatch.setenv("CUPIDSSHIELD_CALIBRATION", str(path))
            policies = Path("policies")
            shutil.copytree(Path(data.__path__[0]).parent / "policies", policies, dirs_exist_ok=True)
            limits = (policies / "thresholds.yaml").read_text("utf-8")
            assert "score_drift_fewest_cases: 200" in limits
            changed = limits.replace("score_drift_fewest_cases: 200", f"score_drift_fewest_cases: {fewest}")
            (policies / "thresholds.yaml").write_text(changed)
            monkeypatch.setenv("CUPIDSSHIELD_POLICIES_DIR", str(policies))

        return chosen

    def test_scores_like_the_reference_are_within_the_limit(self, run: Run, with_reference: Any) -> None:
        with_reference(moved=0.0)
        (found,) = objects_in(run("drift", "--app", "shop", "--output", "json"))
        assert (found["app"], found["cases"], found["said"]) == ("shop", TEXTS, "within the limit")
        assert found["measured"] > 0.9 * TEXTS, "the odd text is in another language"
        assert found["index"] < 0.01

    def test_shifted_scores_are_above_the_limit(self, run: Run, with_reference: Any) -> None:
        with_reference(moved=3.0)
        (found,) = objects_in(run("drift", "--output", "json"))
        assert found["said"] == "above the limit"
        assert found["index"] > 0.25
        assert "above the limit" in run("drift").out

    def test_with_too_few_cases_no_number_is_told(self, run: Run, with_reference: Any) -> None:
        with_reference(moved=3.0, fewest=200)
        (found,) = objects_in(run("drift", "--output", "json"))
        assert (found["index"], found["said"]) == (None, "too few, 200 are needed")

    def test_without_a_reference_it_says_so_instead_of_a_number(
        self, run: Run, numbers: Counter[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        calibration = Calibration.load(read_settings().model_folder / "calibration.json")
        Path("bare.json").write_text(calibration.model_copy(update={"reference": ()}).model_dump_json())
        monkeypatch.setenv("CUPIDSSHIELD_CALIBRATION", "bare.json")
        ran = run("drift", "--output", "json")
        assert [(found["index"], found["said"]) for found in objects_in(ran)] == [(None, "no reference")]
        assert "holds no reference" in ran.err


def assessments() -> tuple[Any, ...]:
    """The assessments in this test's database."""

    async def read() -> tuple[Any, ...]:
        database = Database(read_settings().database)
        try:
            (app,) = await database.read(apps.list_apps)
            _, found = await database.read(
                lambda session: outcomes.recent_assessments(
                    session, app_id=app.id, since=now() - timedelta(days=1), most=1_000
                )
            )
            return found
        finally:
            await database.close()

    return asyncio.run(read())
