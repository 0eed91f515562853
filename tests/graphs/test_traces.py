"""What traces say of a run: its steps, its calls of tools and models, how each went; nothing of what people wrote."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from opentelemetry.trace import SpanKind, StatusCode

from agents.appeals import AppealReviewer
from agents.models import ModelChoice, made
from agents.panel import Dossier, Panel
from agents.spending import Spending
from agents.steady import Steady
from cupidsshield.bootstrap import House
from cupidsshield.checkpoints import open_checkpointer
from cupidsshield.panel import prompts_for
from data import apps
from domain.clock import now
from domain.content import Content, ContentContext
from domain.errors import CupidsShieldError
from domain.ids import new_id
from domain.opinion import Specialist
from domain.tracing import SILENCE, Tracer
from domain.vocabulary import ContentType
from graphs.appeals.runs import AppealRuns
from graphs.moderation.runs import ModerationRuns
from graphs.moderation.state import Services
from tests import factories
from tests.agents.appeals import EXPLANATION, READ
from tests.agents.model_server import FAULTS, FINE, ModelServer, serving
from tests.graphs.conftest import CLEAR, DOUBTFUL, VIOLATING, Tool, decided, moderate, person_decides, tools_where
from tests.graphs.test_appeal_readings import read_only
from tests.graphs.test_failures import crashes
from tests.watching import Watched, attributes
from workers.appeal_reader import AppealReader

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARK = "zanzibarquux"
SCREENED = ["intake", "screening", "risk_assessment"]


@pytest.fixture
def watched() -> Watched:
    return Watched()


@asynccontextmanager
async def runs_told_to(
    house: House, tracer: Tracer, server: ModelServer | None = None, **misbehaving: Tool
) -> AsyncIterator[ModerationRuns]:
    """The house's graph and servers, telling the tracer, and asking the model server where there is one."""
    panel = None
    if server:
        judge = made(ModelChoice("openai:m", server.openai, timeout_s=5))
        panel = Panel(Steady([judge], Spending(now), tracer=tracer), prompts_for(house.policies), tracer)
    async with (
        tools_where(house, tracer=tracer, **misbehaving) as tools,
        open_checkpointer(house.settings.database, house.settings.data_dir) as saver,
    ):
        services = Services(tools, house.policies, now, house.links.to, panel=panel, asking_s=10, tracer=tracer)
        runs = ModerationRuns(services, saver)
        yield runs
        await runs.close()
        if panel:
            await panel.close()


async def test_an_ordinary_run_is_one_tree(house: House, app_id: str, watched: Watched) -> None:
    async with runs_told_to(house, watched.tracer) as runs:
        answer = await moderate(runs, factories.content(CLEAR, app_id=app_id))
    (root,) = watched.under(None)
    assert root.name == "moderate"
    assert attributes(root) == {
        "cupidsshield.case_id": answer.case_id,
        "cupidsshield.content_type": "message",
        "cupidsshield.decision": "approved",
        "cupidsshield.replayed": False,
    }
    assert [span.name for span in watched.under(root)] == [*SCREENED, "decision", "action"]
    tools = {span.name: [call.name for call in watched.under(span)] for span in watched.under(root)}
    assert tools == {
        "intake": ["tools/call prepare_case"],
        "screening": ["tools/call screen_content"],
        "risk_assessment": [],
        "decision": [],
        "action": ["tools/call record_decision"],
    }
    (call,) = watched.named("tools/call prepare_case")
    assert call.kind is SpanKind.CLIENT
    assert attributes(call) == {
        "mcp.method.name": "tools/call",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "prepare_case",
        "cupidsshield.server": "database",
    }
    assert {span.status.status_code for span in watched.spans} == {StatusCode.UNSET}
    assert len({span.context.trace_id for span in watched.spans}) == 1


async def test_runs_at_once_do_not_mix(house: House, app_id: str, watched: Watched) -> None:
    async with runs_told_to(house, watched.tracer) as runs:
        await asyncio.gather(*(moderate(runs, factories.content(CLEAR, app_id=app_id)) for _ in range(5)))
    roots = watched.under(None)
    assert [root.name for root in roots] == ["moderate"] * 5
    for root in roots:
        assert [span.name for span in watched.under(root)] == [*SCREENED, "decision", "action"]


async def test_a_model_is_told_of_with_its_name_and_tokens(house: House, app_id: str, watched: Watched) -> None:
    async with serving() as server, runs_told_to(house, watched.tracer, server) as runs:
        await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    (specialists,) = watched.named("specialists")
    agents = watched.under(specialists)
    assert len(agents) == len(server.asked) >= 1
    assert {span.name.split()[0] for span in agents} == {"invoke_agent"}
    for agent in agents:
        told = attributes(agent)
        assert agent.name == f"invoke_agent {told.pop('gen_ai.agent.name')}"
        assert told == {
            "gen_ai.operation.name": "invoke_agent",
            "cupidsshield.cache_hit": False,
            "cupidsshield.reading": "fine",
        }
        (chat,) = watched.under(agent)
        assert (chat.name, chat.kind) == ("chat m", SpanKind.CLIENT)
        assert attributes(chat) == {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 100,
            "gen_ai.usage.output_tokens": 20,
            "cupidsshield.breaker": "closed",
        }


async def test_an_answer_that_was_kept_asks_no_model(house: House, watched: Watched) -> None:
    async with serving() as server:
        judge = made(ModelChoice("openai:m", server.openai, timeout_s=5))
        panel = Panel(
            Steady([judge], Spending(now), tracer=watched.tracer), prompts_for(house.policies), watched.tracer
        )
        with watched.tracer.span("twice", begins=True):
            for _ in range(2):
                await panel.hear([Specialist.SCAM_DETECTIVE], Dossier("app", CLEAR, CLEAR), within_s=5)
        await panel.close()
    agents = watched.named("invoke_agent scam_detective")
    assert [attributes(agent)["cupidsshield.cache_hit"] for agent in agents] == [False, True]
    assert [len(watched.under(agent)) for agent in agents] == [1, 0]


@pytest.mark.parametrize(
    ("fault", "kind", "times"), [("500", "model_unavailable", 2), ("wrong enum", "unusable_answer", 1)]
)
async def test_a_model_that_fails_is_told_with_the_kind_of_failure(
    house: House, app_id: str, watched: Watched, fault: str, kind: str, times: int
) -> None:
    async with serving(ModelServer(fault=FAULTS[fault])) as server, runs_told_to(house, watched.tracer, server) as runs:
        await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
    chats = watched.named("chat m")
    assert len(chats) >= times
    for span in (*chats, *(span for span in watched.spans if span.name.startswith("invoke_agent"))):
        assert span.status.status_code is StatusCode.ERROR
        assert attributes(span)["error.type"] in {kind, "left_alone"}
        assert (span.status.description, span.events) == (None, ())
    (root,) = watched.under(None)
    assert root.status.status_code is StatusCode.UNSET, "the run went on to a person"


async def test_a_model_that_is_left_alone_is_told_as_such(house: House, app_id: str, watched: Watched) -> None:
    async with serving(ModelServer(fault=FAULTS["500"])) as server, runs_told_to(house, watched.tracer, server) as runs:
        for number in range(4):
            await moderate(runs, factories.content(f"{DOUBTFUL} {number}", app_id=app_id))
    last = watched.named("chat m")[-1]
    assert attributes(last)["cupidsshield.breaker"] == "open"
    assert attributes(last)["error.type"] == "left_alone"


async def test_a_run_that_fails_says_where_and_how(house: House, app_id: str, watched: Watched) -> None:
    async with runs_told_to(house, watched.tracer, record_decision=crashes) as runs:
        with pytest.raises(CupidsShieldError):
            await moderate(runs, factories.content(CLEAR, app_id=app_id))
    failed = {span.name: attributes(span).get("error.type") for span in watched.spans if not span.status.is_ok}
    assert failed == dict.fromkeys(["moderate", "action", "tools/call record_decision"], "tool_unavailable")


async def test_a_tool_that_fails_on_the_way_fails_alone(house: House, app_id: str, watched: Watched) -> None:
    async with runs_told_to(house, watched.tracer, screen_content=crashes) as runs:
        await moderate(runs, factories.content(CLEAR, app_id=app_id))
    failed = [span.name for span in watched.spans if not span.status.is_ok]
    assert failed == ["tools/call screen_content"]


async def test_what_a_person_decided_goes_on_in_a_trace_of_its_own(house: House, app_id: str, watched: Watched) -> None:
    async with runs_told_to(house, watched.tracer) as runs:
        answer = await moderate(runs, factories.content(DOUBTFUL, app_id=app_id))
        await person_decides(house, answer, app_id)
        await runs.resume(app_id=app_id, case_id=answer.case_id)
    first, second = watched.under(None)
    assert (first.name, second.name) == ("moderate", "resume")
    assert [span.name for span in watched.under(second)] == ["notification"]


async def test_a_callers_trace_goes_on(house: House, app_id: str, watched: Watched) -> None:
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    async with runs_told_to(house, watched.tracer) as runs:
        with watched.tracer.continuing({"traceparent": f"00-{trace}-{parent}-01"}):
            await moderate(runs, factories.content(CLEAR, app_id=app_id))
        with watched.tracer.continuing({"traceparent": "nonsense"}):
            await moderate(runs, factories.content(CLEAR, app_id=app_id))
    (continued, fresh) = watched.named("moderate")
    assert continued.parent is not None
    assert (f"{continued.context.trace_id:032x}", f"{continued.parent.span_id:016x}") == (trace, parent)
    assert fresh.parent is None


async def test_calls_of_workers_begin_no_trace(house: House, app_id: str, watched: Watched) -> None:
    async with tools_where(house, tracer=watched.tracer) as tools:
        runs = ModerationRuns(Services(tools, house.policies, now, house.links.to), InMemorySaver())
        await moderate(runs, factories.content(CLEAR, app_id=app_id))
    assert watched.spans == []


@pytest.mark.parametrize("fault", [None, "wrong enum", "500", "a quote that does not occur", "10 MB"])
async def test_no_word_of_the_content_and_nobodys_name_is_in_a_trace(
    house: House, app_id: str, watched: Watched, fault: str | None
) -> None:
    quoting = {
        **FINE,
        "reading": "unclear",
        "quotes": [MARK],
        "reasoning": f"The text of the author says {MARK} to us.",
    }
    server = ModelServer(answer=quoting, fault=FAULTS[fault] if fault else None)
    async with serving(server), runs_told_to(house, watched.tracer, server) as runs:
        for text in (
            CLEAR,
            DOUBTFUL,
            f"{DOUBTFUL} {DOUBTFUL}",
            VIOLATING,
            "You owe me an answer. Nobody treats me like this",
        ):
            for kind in (ContentType.MESSAGE, ContentType.USERNAME):
                await moderate(runs, marked(text, app_id, kind))
    assert watched.named("chat m"), "a model was asked"
    assert MARK in json.dumps(server.asked), "it was asked about the content"
    assert MARK not in watched.text()
    assert app_id not in watched.text()


async def test_no_word_of_the_content_is_in_a_trace_of_what_fails(house: House, app_id: str, watched: Watched) -> None:
    async def quotes() -> None:
        raise RuntimeError(f"cannot bear {MARK}")

    for tool in ("screen_content", "recall", "record_decision", "prepare_case"):
        async with runs_told_to(house, watched.tracer, **{tool: quotes}) as runs:
            try:
                await moderate(runs, marked(DOUBTFUL, app_id, ContentType.MESSAGE))
            except CupidsShieldError:
                assert tool in {"record_decision", "prepare_case"}
    assert len([span for span in watched.spans if not span.status.is_ok]) >= 4
    assert MARK not in watched.text()


def marked(text: str, app_id: str, kind: ContentType) -> Content:
    context = ContentContext(conversation_id=f"{MARK}-c", recipient_id=f"{MARK}-r", extra={"note": MARK})
    content = factories.content(f"{text} {MARK}", app_id=app_id, user_id=f"{MARK}-u", kind=kind, context=context)
    return content.model_copy(update={"content_id": f"{MARK}-{content.content_id}"})


async def test_where_nobody_listens_nothing_is_made() -> None:
    with SILENCE.continuing({}), SILENCE.span("anything") as span:
        span.note({"a": 1})
        span.fail("b")
    assert span is SILENCE


async def test_an_appeal_and_its_reading_are_told_and_nothing_of_what_is_said_in_it(
    house: House, watched: Watched
) -> None:
    owner = await house.database.write(lambda session: apps.get_or_create(session, name=new_id("app")))
    answer = await decided(house, owner.id, VIOLATING, user_id=f"{MARK}-u")
    async with (
        serving(ModelServer(answer=READ)) as server,
        tools_where(house, tracer=watched.tracer) as tools,
        open_checkpointer(house.settings.database, house.settings.data_dir) as saver,
    ):
        tracer = watched.tracer
        services = Services(tools, read_only(house.policies, owner.id), now, house.links.to, tracer=tracer)
        appeal = await AppealRuns(services, saver).file(
            app_id=owner.id,
            case_id=answer.case_id,
            user_id=f"{MARK}-u",
            explanation=f"{EXPLANATION} {MARK}",
            new_evidence=None,
        )
        models = Steady([made(ModelChoice("openai:m", server.openai, timeout_s=5))], Spending(now), tracer=tracer)
        reviewer = AppealReviewer(models, prompts_for(house.policies), within_s=5, tracer=tracer)
        assert await AppealReader(house.database, services, reviewer).step() == 1
        await reviewer.close()
    filed, read = watched.under(None)
    assert (filed.name, read.name) == ("appeal", "read_appeal")
    assert [span.name for span in watched.under(filed)] == ["intake", "context", "evaluation"]
    assert attributes(read)["cupidsshield.appeal_id"] == appeal.id
    (agent,) = [span for span in watched.under(read) if span.name == "invoke_agent appeal_reviewer"]
    assert [span.name for span in watched.under(agent)] == ["chat m"]
    assert MARK in json.dumps(server.asked)
    assert MARK not in watched.text()
