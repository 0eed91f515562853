"""`cupidsshield memory`: what the service remembers of past cases."""

import asyncio

import typer
from rich.progress import Progress

from cupidsshield.bootstrap import loaded_screener
from cupidsshield.cli.output import err, out
from cupidsshield.settings import Settings, read_settings
from data import memory_inbox, migrate
from data.database import Database
from screening.screen import Screener

app = typer.Typer(no_args_is_help=True, help="Look after what the service remembers of past cases.")
BATCH = 64


@app.command("rebuild")
def rebuild() -> None:
    """Have every case remembered anew, after the model changed. The service may run meanwhile, and fills memory."""
    settings = read_settings()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    migrate.upgrade(settings.database)
    count = asyncio.run(_rebuild(settings))
    out.print(f"{count} cases are on their way into memory; the service takes them in as it runs")


async def _rebuild(settings: Settings) -> int:
    screener = loaded_screener(settings)
    database = Database(settings.database)
    await database.start()
    try:
        with Progress(console=err) as progress:
            return await _embedded(database, screener, progress)
    finally:
        await database.close()
        screener.close()


async def _embedded(database: Database, screener: Screener, progress: Progress) -> int:
    """Page through the cases, embed each and put it into the inbox of memory; how many there were."""
    task, count, after = progress.add_task("reading cases", total=None), 0, ""
    while items := await database.read(
        lambda session, after=after: memory_inbox.to_embed(session, after=after, limit=BATCH)  # type: ignore[misc]
    ):
        vectors = await screener.embed([item.text for item in items])
        whole = [item.model_copy(update={"vector": v}) for item, v in zip(items, vectors, strict=True)]
        await database.write(lambda session, whole=whole: memory_inbox.add(session, *whole))  # type: ignore[misc]
        after, count = items[-1].case_id, count + len(items)
        progress.update(task, completed=count)
    return count
