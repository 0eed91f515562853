"""`cupidsshield moderate`: decide about texts from the command line, here or at a running service."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.progress import Progress

from cupidsshield.bootstrap import open_house
from cupidsshield.cli import logs
from cupidsshield.cli.output import Output, OutputOption, coloured, err, out, print_json
from cupidsshield.client import ServiceClient
from cupidsshield.settings import read_settings
from data import apps
from domain.actor import Actor, ActorKind
from domain.answer import ModerationAnswer
from domain.errors import Invalid
from domain.progress import OnStep, Step
from domain.submission import Submission
from domain.vocabulary import ContentType, Scope
from gateway.errors import invalid
from gateway.schemas import ModerateRequest
from policies.explain import percent

LOCAL_APP = "local"

Moderate = Callable[[ModerateRequest, OnStep | None], Awaitable[ModerationAnswer]]


def moderate(
    source: Annotated[str, typer.Argument(metavar="TEXT|-|FILE.jsonl", help="A text, - for stdin, or a file.")],
    content_type: Annotated[ContentType, typer.Option("--type", help="What kind of text it is.")] = ContentType.MESSAGE,
    user_id: Annotated[str, typer.Option("--user", help="The author's identifier.")] = "local-user",
    url: Annotated[str | None, typer.Option(help="A running service to ask, instead of this process.")] = None,
    key: Annotated[str | None, typer.Option(help="API key for --url.", envvar="CUPIDSSHIELD_API_KEY")] = None,
    steps: Annotated[bool, typer.Option("--steps", help="Tell each step of a decision on stderr.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Decide about a text, about stdin, or about each line of a JSONL file (fields as in POST /moderate)."""
    requests = requests_in(source, content_type, user_id)
    logs.configure("ERROR")

    async def run() -> None:
        async with _decider(url, key) as decide:
            with Progress(console=err, transient=True, disable=len(requests) < 20) as progress:
                for request in progress.track(requests, description="Deciding"):
                    _print(request, await decide(request, _told if steps else None), output)

    asyncio.run(run())


def requests_in(source: str, content_type: ContentType, user_id: str) -> list[ModerateRequest]:
    """What the argument means. Raises Invalid naming the line of a file that cannot be used."""
    if source.endswith(".jsonl"):
        path = Path(source)
        if not path.is_file():
            raise Invalid(f"{source}: there is no such file")
        lines = enumerate(_text_in(path.read_bytes(), source).split("\n"), start=1)
        return [_request(line, f"{source}:{number}", content_type, user_id) for number, line in lines if line.strip()]
    text = _text_in(sys.stdin.buffer.read(), "stdin") if source == "-" else source
    return [_request(json.dumps({"content": text}), "the text", content_type, user_id)]


def _text_in(content: bytes, source: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Invalid(f"{source}:{line}: not UTF-8") from error


def _request(line: str, where: str, content_type: ContentType, user_id: str) -> ModerateRequest:
    try:
        fields = json.loads(line)
        defaults = {"content_type": content_type, "user_id": user_id}
        return ModerateRequest.model_validate({**defaults, **fields})
    except ValidationError as error:
        raise Invalid(f"{where}: {invalid(error.errors(include_input=False, include_url=False)).message}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid(f"{where}: not a JSON object with the fields of POST /moderate") from error


@asynccontextmanager
async def _decider(url: str | None, key: str | None) -> AsyncIterator[Moderate]:
    if url:
        if not key:
            raise Invalid("--url needs an API key: --key or CUPIDSSHIELD_API_KEY")
        async with ServiceClient(url, key) as client:
            yield client.moderate
        return
    async with open_house(read_settings()) as house:
        owner = await house.database.write(lambda session: apps.get_or_create(session, name=LOCAL_APP))
        actor = Actor(kind=ActorKind.APP, id="command-line", app_id=owner.id, scopes=frozenset({Scope.MODERATE}))

        async def decide(request: ModerateRequest, on_step: OnStep | None) -> ModerationAnswer:
            return await house.runs.moderate(Submission(content=request.to_content(owner.id)), actor, on_step)

        yield decide


def _told(step: Step) -> None:
    err.print(f"  [dim]{step.ms:7.1f} ms  {step.words}[/]", highlight=False)


def _print(request: ModerateRequest, answer: ModerationAnswer, output: Output) -> None:
    if output is Output.JSON:
        print_json(answer.model_dump(mode="json"))
        return
    out.print(coloured(answer.decision), percent(answer.confidence), f"[dim]{answer.case_id}[/]")
    about = f"{answer.violation_type or 'no violation'}{f' ({answer.severity})' if answer.severity else ''}"
    out.print(f"  {about}{f' → {answer.action}' if answer.action else ''}", highlight=False)
    out.print(f"  {answer.reasoning}", highlight=False, markup=False)
    out.print(f"  {answer.decision_reason}", highlight=False, markup=False, style="dim")
    for finding in answer.evidence:
        quotes = ", ".join(f"“{evidence.quote}”" for evidence in finding.evidence)
        out.print(f"  · {finding.reason} {quotes}", highlight=False, markup=False)
