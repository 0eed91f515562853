"""kill -9 between a person's decision and its settling: everything is told once and nothing is lost (I5-I7)."""

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text

from cupidsshield.bootstrap import open_house
from cupidsshield.settings import read_settings
from data import audit, outbox
from domain.review import ReviewKind
from tests.graphs.conftest import case_of
from tests.slow.dying_while_settling import POINTS, app_at
from workers.loop import Worker
from workers.settle import settle

ROOT = Path(__file__).parent.parent.parent

pytestmark = pytest.mark.slow


def died_at(point: int, folder: Path, url: str) -> str:
    """The case of a service that died there."""
    command = [sys.executable, "-m", "tests.slow.dying_while_settling", str(folder), url, str(point)]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert died.returncode == -signal.SIGKILL, died.stderr
    return died.stdout.strip()


async def test_whenever_it_dies_the_decision_stands_and_is_told_once(url: str, tmp_path: Path) -> None:
    case_ids = [died_at(point, tmp_path, url) for point in range(len(POINTS))]
    async with open_house(read_settings(data_dir=tmp_path, database_url=url)) as house:
        step = settle(house.database, house.policies, {ReviewKind.CASE: house.resume})
        await Worker("settling again", step, interval_s=1).drain()
        rows = await house.database.read(
            lambda s: [tuple(row) for row in s.execute(text("SELECT case_id, settled_at FROM human_decisions"))]
        )
        assert Counter(case_id for case_id, _ in rows) == Counter(case_ids)
        assert all(settled_at for _, settled_at in rows)
        of_people: Counter[str | None] = Counter()
        for case_id, point, app_id in zip(case_ids, POINTS, map(app_at, range(len(POINTS))), strict=True):
            assert not await house.runs.waits(case_id), point
            assert (await case_of(house, app_id, case_id)).reviewed_by == "moderator_001", point
            trail = await house.database.read(
                lambda s, app_id=app_id, case_id=case_id: audit.for_case(s, app_id=app_id, case_id=case_id)  # type: ignore[misc]
            )
            assert [row.action for row in trail].count("decision.by_person") == 1, point
            told = await house.database.read(
                lambda s, app_id=app_id: outbox.find(s, app_id=app_id, status=None, case_id=None, limit=99)  # type: ignore[misc]
            )
            of_people.update(each.case_id for each in told if each.message.event == "user.decision")
    assert of_people == Counter(case_ids)
