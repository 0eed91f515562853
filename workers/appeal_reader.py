"""Has a language model read the appeals that people are about to decide. Nothing waits for it.

An appeal is taken up for one process at a time; who dies with it only delays it. What fails is tried again after longer
and longer pauses, and given up in the end, which the page says. Whatever happens here, the appeal is before people.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from sqlmodel import Session

from agents.appeals import AppealReviewer
from agents.spending import Allowance
from data import appeal_readings, appeal_surroundings, apps
from data.appeal_readings import Taken
from data.database import Database
from domain.actor import system
from domain.appeal import Appeal
from domain.appeal_reading import NoReading
from domain.errors import CupidsShieldError, ModelUnavailable, ToolUnavailable, UnusableAnswer
from graphs.appeals.asking import history_of, noticed_in, read_again, similar_to
from graphs.appeals.dossier import Known, dossier
from graphs.moderation.state import Services
from policies.appeal_readings import may_read
from policies.appeals import NO_EXPLANATION
from workers.tasks import ALL_APPS

logger = logging.getLogger(__name__)

AT_ONCE = 4
PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=25), timedelta(hours=2))
"""Before the second try, the third, and so on; after the last there is none."""

GATHERING = timedelta(minutes=1)
"""What a try may take beside asking models, before another process takes it over."""

WHO = "appeal_reviewer"


@dataclass
class AppealReader:
    """Reads what should be read, over the services of the graphs."""

    database: Database
    services: Services
    reviewer: AppealReviewer

    async def step(self) -> int:
        """Take up a few appeals and have them read; how many there were."""
        app_ids = await self._apps()
        if not await self.database.read(lambda session: appeal_readings.any_wanted(session, app_ids=app_ids)):
            return 0
        taken = await self.database.write(lambda session: self._take(session, app_ids))
        done = await asyncio.gather(*(self._read(each) for each in taken), return_exceptions=True)
        for failed in filter(None, done):
            raise failed
        return len(taken)

    async def _apps(self) -> tuple[str, ...]:
        """The apps whose appeals may be read now, and paid for."""
        found = []
        for app in await self.database.read(apps.list_apps):
            rules = self.services.policies.thresholds.agents.of(app.id)
            allowance = Allowance(tokens=rules.daily_tokens, cost=rules.daily_cost)
            if may_read(app.id, self.services.policies) and self.reviewer.affords(app.id, allowance):
                found.append(app.id)
        return tuple(found)

    def _take(self, session: Session, app_ids: tuple[str, ...]) -> tuple[Taken, ...]:
        return appeal_readings.take(
            session,
            app_ids=app_ids,
            limit=AT_ONCE,
            lease=timedelta(seconds=self.reviewer.within_s) + GATHERING,
            most_attempts=len(PAUSES) + 1,
            actor=system(ALL_APPS, WHO),
        )

    async def _read(self, taken: Taken) -> None:
        appeal, known = taken.appeal, None
        try:
            known = await self._find_out(appeal)
            settled = await self.reviewer.read(dossier(known, self.services.policies))
        except UnusableAnswer as error:
            await self._fail(taken, NoReading.UNUSABLE, known, error)
        except ModelUnavailable as error:
            await self._fail(taken, NoReading.UNREACHABLE, known, error)
        except CupidsShieldError as error:
            await self._fail(taken, NoReading.INCOMPLETE, known, error)
        except Exception as error:
            logger.exception("appeal %s could not be read", appeal.id)
            await self._fail(taken, NoReading.BROKEN_OFF, known, error)
        else:
            kept = await self.database.write(
                lambda session: appeal_readings.keep(
                    session,
                    taken=taken,
                    reading=settled.value,
                    usage=settled.usage,
                    addresses=known.addresses_the_machine,
                    actor=system(appeal.app_id, WHO),
                )
            )
            if not kept:
                logger.info("the reading of appeal %s came too late and was dropped", appeal.id)

    async def _find_out(self, appeal: Appeal) -> Known:
        """All that is known of an appeal. Raises ToolUnavailable rather than leave something out: a reading of half a
        record would mislead."""
        assert appeal.brief is not None, "only appeals that were prepared are taken up"
        app_id, tools, missing = appeal.app_id, self.services.tools, list[str]()
        around = await self.database.read(
            lambda session: appeal_surroundings.around(session, app_id=app_id, case_id=appeal.case_id)
        )
        case = around.case
        history = await history_of(case, tools, missing)
        similar = await similar_to(case, tools, missing)
        reread = await read_again(case, history, similar, self.services, missing)
        if missing:
            raise ToolUnavailable(missing[0], "an appeal is read once it answers again")
        words, offered = appeal.explanation, appeal.new_evidence
        return Known(
            appeal=appeal,
            brief=appeal.brief,
            around=around,
            history=history,
            similar=similar,
            endings=await self.database.read(
                lambda session: appeal_surroundings.endings(
                    session, app_id=app_id, case_ids=[precedent.case_id for precedent in similar]
                )
            ),
            reread=reread,
            words=await noticed_in(words, app_id, tools) if words != NO_EXPLANATION else None,
            offered=await noticed_in(offered, app_id, tools) if offered else None,
            decided=await noticed_in(case.content.text, app_id, tools),
            at=self.services.clock(),
        )

    async def _fail(self, taken: Taken, why: NoReading, known: Known | None, error: Exception) -> None:
        again = PAUSES[taken.attempt - 1] if taken.attempt <= len(PAUSES) else None
        logger.warning(
            "try %d to read appeal %s failed, it waits for people all the same: %s",
            taken.attempt,
            taken.appeal.id,
            error,
        )
        await self.database.write(
            lambda session: appeal_readings.fail(
                session,
                taken=taken,
                why=why,
                addresses=known.addresses_the_machine if known else None,
                again=again,
                actor=system(taken.appeal.app_id, WHO),
            )
        )
