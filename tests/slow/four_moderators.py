"""One process of the stress: four moderators who claim, decide, dawdle, renew and give back until nothing is open.

Run as `python -m tests.slow.four_moderators URL NUMBER`; prints what each try came to as JSON.
"""

import asyncio
import json
import random
import sys
from datetime import timedelta

from sqlmodel import Session, col, select

from data import claims, decisions
from data.database import Database
from data.review_rules import still_open
from data.review_table import ReviewRow
from domain.errors import StaleVersion
from domain.queue import QueueFilter
from domain.review import ReviewItem
from domain.staff import Staff
from tests import factories

LEASE = timedelta(milliseconds=200)
DAWDLING_S = 0.25
MODERATORS = 4

Tried = dict[str, object]


def decide(session: Session, held: ReviewItem, staff: Staff) -> None:
    decisions.decide(
        session,
        staff=staff,
        review_id=held.id,
        epoch=held.epoch,
        decision=factories.human(held.case_id, reviewer=staff.id),
        messages=[factories.message()],
        memory=None,
        undo=timedelta(seconds=-5),
    )


async def is_over(database: Database) -> bool:
    found = await database.read(lambda s: s.exec(select(col(ReviewRow.id)).where(still_open()).limit(1)).first())
    return found is None


async def moderator(database: Database, name: str, tried: list[Tried]) -> None:
    """Work until nothing is open; a lease is 200 ms, and one in ten forgets the time."""
    staff, chance = factories.staff(name), random.Random(name)
    while True:
        held = await database.write(lambda s: claims.claim_next(s, staff=staff, wanted=QueueFilter(), lease=LEASE))
        if held is None:
            if await is_over(database):
                return
            await asyncio.sleep(0.02)
            continue
        luck = chance.random()
        try:
            if luck < 0.1:
                await asyncio.sleep(DAWDLING_S)
            elif luck < 0.2:
                await database.write(
                    lambda s, held=held: claims.renew(  # type: ignore[misc]
                        s, staff=staff, review_id=held.id, epoch=held.epoch, lease=LEASE
                    )
                )
            elif luck < 0.25:
                await database.write(
                    lambda s, held=held: claims.release(s, staff=staff, review_id=held.id, epoch=held.epoch)  # type: ignore[misc]
                )
            await database.write(lambda s, held=held: decide(s, held, staff))  # type: ignore[misc]
            won = True
        except StaleVersion:
            won = False
        late = luck < 0.1
        tried.append(
            {"who": name, "review": held.id, "case": held.case_id, "epoch": held.epoch, "won": won, "late": late}
        )


async def main(url: str, number: int) -> None:
    database, tried = Database(url), list[Tried]()
    await database.start()
    await asyncio.gather(*(moderator(database, f"m{number}_{n}", tried) for n in range(MODERATORS)))
    await database.close()
    print(json.dumps(tried))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
