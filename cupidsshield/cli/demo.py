"""`cupidsshield demo`: the main job on embedded defaults, shown over real HTTP."""

import asyncio
import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text
from sqlmodel import Session

from cupidsshield.cli import logs
from cupidsshield.cli.keys import on_database
from cupidsshield.cli.output import coloured, out
from cupidsshield.cli.serve import Port, WebServer
from cupidsshield.cli.staff import BY
from cupidsshield.client import ServiceClient
from cupidsshield.samples import SCENARIOS, Sample, held_out
from cupidsshield.settings import Settings, read_settings
from data import apps, keys, passwords
from data import staff as accounts
from domain.answer import ModerationAnswer
from domain.errors import CupidsShieldError, Overloaded
from domain.staff import Role
from domain.vocabulary import DecisionKind, Scope
from policies.explain import percent

DEMO_APP = "demo"
AT_ONCE = 8
START_WITHIN_S = 60.0
TRIES = 5
"""How often a message is posted to a service that says to come again: on a busy machine one call may take too long."""

Answers = list[tuple[Sample, ModerationAnswer]]
Passwords = dict[Role, str]
Wait = Callable[[float], Awaitable[None]]


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the run instead of leaving the service up.")] = False,
    port: Port = None,
    messages: Annotated[int, typer.Option(min=0, help="How many held-out messages to send as well.")] = 300,
) -> None:
    """Start the service, post real messages to it, show the decisions and why, and leave it up to play with."""
    settings = read_settings(port=port or _free_port(8000), host="127.0.0.1")
    logs.configure("ERROR")
    key = on_database(_demo_key)
    people = demo_staff()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_show(settings, key, people, messages, once))


async def _show(settings: Settings, key: str, people: Passwords, messages: int, once: bool) -> None:
    async with _service(settings) as url, ServiceClient(url, key) as client:
        out.print(f"[bold]CupidsShield[/] is up at {url}\n")
        answers = [(sample, await answered(client, sample)) for sample in SCENARIOS]
        _print_scenarios(answers)
        if messages:
            _print_summary(await _send_all(client, held_out(messages)))
        _print_next_steps(url, key, answers[0][1].case_id)
        _print_people(url, people)
        if not once:
            out.print("\nThe service stays up. [bold]Ctrl-C[/] stops it.")
            await asyncio.Event().wait()


@asynccontextmanager
async def _service(settings: Settings) -> AsyncIterator[str]:
    server = WebServer(settings)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(START_WITHIN_S):
            while not server.started:
                if task.done():
                    raise server.refusal or CupidsShieldError(
                        "the service did not start; 'cupidsshield serve' says why"
                    )
                await asyncio.sleep(0.05)
        yield settings.reached_at
    finally:
        server.should_exit = True
        await task


async def answered(client: ServiceClient, sample: Sample, wait: Wait = asyncio.sleep) -> ModerationAnswer:
    """The answer about a message, which is posted again as often as the service asks for that, up to `TRIES` times."""
    for _ in range(TRIES - 1):
        try:
            return await client.moderate(sample.request())
        except Overloaded as error:
            await wait(error.retry_after)
    return await client.moderate(sample.request())


async def _send_all(client: ServiceClient, samples: Sequence[Sample]) -> Answers:
    slots = asyncio.Semaphore(AT_ONCE)
    answers: Answers = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True) as progress:
        task = progress.add_task("Posting held-out messages", total=len(samples))

        async def send(sample: Sample) -> None:
            async with slots:
                answers.append((sample, await answered(client, sample)))
            progress.advance(task)

        await asyncio.gather(*(send(sample) for sample in samples))
    return answers


def _print_scenarios(answers: Answers) -> None:
    table = Table(title="The scenarios of the design", show_lines=True)
    for column, share in (("Message", 3), ("Decision", 2), ("How sure", 1), ("Why", 5)):
        table.add_column(column, ratio=share)
    for sample, answer in answers:
        decision = coloured(answer.decision)
        detail = " · ".join(str(part) for part in (answer.violation_type, answer.severity, answer.action) if part)
        decision.append(f"\n{detail}" if detail else "", style="not bold")
        table.add_row(Text(sample.text), decision, percent(answer.confidence), Text(answer.reasoning, style="dim"))
    out.print(table)


def _print_summary(answers: Answers) -> None:
    kinds = list(DecisionKind)
    table = Table("Labelled by its writer", *kinds, title=f"{len(answers)} messages the model has never seen")
    for label in ("clean", "borderline", "violation"):
        counts = Counter(answer.decision for sample, answer in answers if sample.label == label)
        table.add_row(label, *(str(counts[kind]) for kind in kinds))
    out.print(table)
    times = sorted(answer.processing_time_ms for _, answer in answers)
    out.print(f"[dim]median {times[len(times) // 2]:.1f} ms a decision with {AT_ONCE} at once[/]\n")


def _print_next_steps(url: str, key: str, case_id: str) -> None:
    out.rule("Try next", style="dim")
    lines = f"""Post a message:
  curl -s {url}/api/v1/moderate -H 'X-API-Key: {key}' -H 'content-type: application/json' \\
    -d '{{"content": "hey, can you send me a gift card?", "user_id": "u1"}}'
Explain a decision:
  curl -s {url}/api/v1/cases/{case_id}/explanation -H 'X-API-Key: {key}'
Connect an agent by MCP:
  npx @modelcontextprotocol/inspector --cli {url}/mcp/moderation --transport http \\
    --header 'Authorization: Bearer {key}' --method tools/list
Read the API: {url}/docs   Health: {url}/ready   Numbers: {url}/metrics"""
    out.print(Text(lines), soft_wrap=True)


def _demo_key(session: Session) -> str:
    owner = apps.get_or_create(session, name=DEMO_APP)
    scopes = frozenset({Scope.MODERATE, Scope.READ, Scope.NOTIFY})
    return keys.create(session, app_id=owner.id, name="demo", scopes=scopes, expires_at=None).key


def demo_staff() -> Passwords:
    """One account of each role that sees the demo app, with new passwords for those that are there already."""
    made = {role: passwords.generated() for role in Role}
    kept = {role: passwords.hashed(password) for role, password in made.items()}

    def work(session: Session) -> None:
        app_ids = [apps.get_or_create(session, name=DEMO_APP).id]
        known = {person.email: person.id for person in accounts.list_staff(session)}
        for role in Role:
            email, name = demo_address(role), role.replace("_", " ").title()
            if staff_id := known.get(email):
                accounts.set_password(session, staff_id=staff_id, password_hash=kept[role], by=BY)
            else:
                accounts.create(
                    session, email=email, name=name, role=role, app_ids=app_ids, password_hash=kept[role], by=BY
                )

    on_database(work)
    return made


def demo_address(role: Role) -> str:
    """With which mail address somebody of this role signs in to the demo."""
    return f"{role.replace('_', '-')}@demo.example"


def _print_people(url: str, people: Passwords) -> None:
    table = Table("Mail address", "Password", title=f"The console: {url}", title_style="bold")
    for role, password in people.items():
        table.add_row(Text(demo_address(role)), Text(password))
    out.print(table)


def _free_port(wanted: int) -> int:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", wanted))
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
