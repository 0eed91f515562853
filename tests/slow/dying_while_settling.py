"""A service that dies by kill -9 at one point between a person's decision and its settling.

Run as `python -m tests.slow.dying_while_settling FOLDER DATABASE POINT`; prints the case before it dies.
"""

import asyncio
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from cupidsshield.bootstrap import open_house
from cupidsshield.settings import read_settings
from data import settling
from tests.graphs.conftest import DOUBTFUL, decided, person_decides

POINTS = ("decided, nothing settled", "settling, run resumed", "settled")
LONG_AGO = timedelta(seconds=-5)


def app_at(point: int) -> str:
    """A tenant for each: what a person decided on the same text in one tenant would decide it the next time."""
    return f"app_{point}"


async def main(folder: Path, database: str, point: int) -> None:
    def die_at(here: int) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    async with open_house(read_settings(data_dir=folder, database_url=database)) as house:
        # The house's own worker would be there first, now and then.
        [worker] = [task for task in asyncio.all_tasks() if task.get_name() == "settling"]
        worker.cancel()
        answer = await decided(house, app_at(point), DOUBTFUL)
        print(answer.case_id, flush=True)
        await person_decides(house, answer, app_at(point), undo=LONG_AGO)
        die_at(0)
        for each in await house.database.read(lambda session: settling.due(session)):
            await house.resume(each)
            die_at(1)
            await house.database.write(
                lambda session, each=each: settling.settle(session, decision_id=each.id)  # type: ignore[misc]
            )
        die_at(2)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
