"""The composition root: the one place where the rooms are wired to each other.

Everything is opened here and closed in reverse. Nothing below creates a client, an engine or a model
by itself.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx2
from mcp.server import MCPServer
from sqlmodel import Session

from cupidsshield import __version__, console
from cupidsshield.checkpoints import open_checkpointer
from cupidsshield.ownership import owning
from cupidsshield.panel import open_models
from cupidsshield.passages import index_guidelines
from cupidsshield.secret import signing_secret
from cupidsshield.settings import Settings
from cupidsshield.traces import open_tracer, warn_of_langsmith
from cupidsshield.workforce import DELIVERY, run_workers, workers_of
from data import guideline_editions, keys, migrate
from data.database import Database
from data.memory import Memory
from domain.actor import Actor
from domain.answer import ModerationAnswer
from domain.case import Case
from domain.clock import now
from domain.errors import Overloaded
from domain.review import Decided
from domain.submission import Submission
from domain.tracing import Tracer
from domain.vocabulary import Action, Policy, Severity
from gateway.auth import KeyRing
from gateway.limits import Gate, RateLimit
from gateway.metrics import Metrics
from gateway.parts import Parts
from gateway.streaming import Streams
from graphs.appeals.runs import AppealRuns
from graphs.moderation.desk import Desk
from graphs.moderation.runs import ModerationRuns
from graphs.moderation.state import Services
from mcp_servers.client import Remote, ServerName, Toolbox, arguments, open_toolbox
from mcp_servers.database import server as database_server
from mcp_servers.database.answers import Proposal
from mcp_servers.guard import Guard, KeyVerifier
from mcp_servers.identity import Identify, actor_in_meta, actor_of_token
from mcp_servers.moderation import server as moderation_server
from mcp_servers.moderation.tools import Powers, decision_for
from mcp_servers.notifications import server as notifications_server
from mcp_servers.notifications.webhooks import WebhookSender
from mcp_servers.vector_search import server as vector_server
from policies.loader import load
from policies.model import PolicySet
from screening.calibration import Calibration
from screening.encoders import load_encoder
from screening.language import LanguageDetector
from screening.rules import Rules
from screening.screen import Screener
from ui.links import DecisionLinks
from ui.parts import UiParts
from workers.alerts import Board
from workers.drift import Drifts
from workers.loop import Worker

logger = logging.getLogger(__name__)

LINK_RATE = "30/minute"
"""How often one user's link is opened."""

NEEDS: dict[ServerName, frozenset[ServerName]] = {
    ServerName.MODERATION: frozenset(ServerName),
    ServerName.DATABASE: frozenset({ServerName.DATABASE}),
    ServerName.VECTOR_SEARCH: frozenset({ServerName.VECTOR_SEARCH}),
    ServerName.NOTIFICATIONS: frozenset({ServerName.NOTIFICATIONS}),
}
"""Which servers must be reachable for one of them to do all its work."""


@dataclass
class House:
    """All rooms, wired. `tools` and `runs` are set once the servers they call exist."""

    settings: Settings
    policies: PolicySet
    database: Database
    screener: Screener | None
    memory: Memory | None
    sender: WebhookSender
    gate: Gate
    rate_limit: RateLimit
    link_limit: RateLimit
    links: DecisionLinks
    tracer: Tracer
    workers: tuple[Worker, ...] = ()
    used_keys: set[str] = field(default_factory=set)
    drifts: Drifts = field(default_factory=Drifts)
    board: Board = field(default_factory=Board)
    _tools: Toolbox | None = None
    _runs: ModerationRuns | None = None
    _appeals: AppealRuns | None = None

    @property
    def tools(self) -> Toolbox:
        """The MCP clients."""
        assert self._tools is not None, "the house is not open yet"
        return self._tools

    @property
    def runs(self) -> ModerationRuns:
        """The moderation graph."""
        assert self._runs is not None, "the house is not open yet"
        return self._runs

    @property
    def appeals(self) -> AppealRuns:
        """The appeals graph."""
        assert self._appeals is not None, "the house is not open yet"
        return self._appeals

    def furnish(self, tools: Toolbox, runs: ModerationRuns, appeals: AppealRuns) -> None:
        """Set what could only be made after the servers."""
        self._tools, self._runs, self._appeals = tools, runs, appeals

    def wake_delivery(self) -> None:
        """Have messages delivered now instead of at the next round."""
        for worker in self.workers:
            if worker.name == DELIVERY:
                worker.wake()

    @property
    def desk(self) -> Desk:
        """Where people decide."""
        return Desk(self.policies, appeal_url=lambda case: self.links.to(case.app_id, case.id))

    async def resume(self, decided: Decided) -> None:
        """Let the run of a case that a person decided go on."""
        await self.runs.resume(app_id=decided.app_id, case_id=decided.case_id)

    async def resume_appeal(self, decided: Decided) -> None:
        """Let the run of an appeal that a person decided go on."""
        assert decided.appeal_id is not None, "a decision about an appeal names it"
        await self.appeals.resume(app_id=decided.app_id, appeal_id=decided.appeal_id)

    async def verify_key(self, key: str) -> Actor:
        """The actor of an API key. Raises NotAuthenticated."""
        actor = await self.database.read(lambda session: keys.verify(session, key=key))
        self.used_keys.add(actor.id)
        return actor

    def servers(
        self, names: frozenset[ServerName], identify: Identify, guard: Guard | None = None
    ) -> dict[ServerName, MCPServer]:
        """New servers over these rooms, for callers told apart by `identify`."""
        made: dict[ServerName, MCPServer] = {}
        if ServerName.MODERATION in names:
            made[ServerName.MODERATION] = moderation_server.build(self._powers(), identify, guard)
        if ServerName.DATABASE in names:
            made[ServerName.DATABASE] = database_server.build(self.database, self.policies, identify, guard)
        if ServerName.VECTOR_SEARCH in names and self.memory and self.screener:
            made[ServerName.VECTOR_SEARCH] = vector_server.build(self.memory, self.screener.embed, identify, guard)
        if ServerName.NOTIFICATIONS in names:
            made[ServerName.NOTIFICATIONS] = notifications_server.build(
                self.database, self.sender, identify, self.wake_delivery, guard
            )
        return made

    def parts(self) -> Parts:
        """What the gateway needs."""
        settings = self.settings
        gate = self.gate
        guard = self.guard()
        local = frozenset(ServerName) - settings.remote_urls.keys()
        return Parts(
            runs=self.runs,
            appeals=self.appeals,
            tools=self.tools,
            database=self.database,
            keys=KeyRing(self.verify_key),
            rate_limit=self.rate_limit,
            metrics=Metrics(gate, lambda: self.drifts.highest, self.board.queue),
            streams=Streams(),
            tracer=self.tracer,
            servers=self.servers(local, actor_of_token, guard),
            guard=guard,
            allowed_hosts=[host.strip() for host in settings.allowed_hosts.split(",")],
            version=__version__,
            deadline_s=settings.deadline_s,
            gate=gate,
            policies=self.policies,
            ui=self.ui_parts(),
        )

    def ui_parts(self) -> UiParts:
        """What the pages need."""
        return console.parts(
            self.settings,
            database=self.database,
            desk=self.desk,
            policies=self.policies,
            runs=self.runs,
            appeals=self.appeals,
            tools=self.tools,
            links=self.links,
            spend_link=self.link_limit.spend,
            board=self.board,
            drifts=self.drifts,
        )

    def guard(self) -> Guard:
        """How HTTP requests to the MCP servers are checked."""
        token = self.settings.service_token
        verifier = KeyVerifier(self.verify_key, token.get_secret_value() if token else None)
        return Guard(verifier=verifier, public_url=self.settings.reached_at)

    def _powers(self) -> Powers:
        async def moderate(submission: Submission, actor: Actor) -> ModerationAnswer:
            try:
                with self.gate.enter():
                    async with asyncio.timeout(self.settings.deadline_s):
                        return await self.runs.moderate(submission, actor)
            except TimeoutError as error:
                raise Overloaded("no decision in time; send it again") from error

        async def get_case(case_id: str, actor: Actor) -> Case:
            return await self.tools.call(
                ServerName.DATABASE, "get_case", {"case_id": case_id}, actor=actor, answer=Case
            )

        async def propose(
            case_id: str,
            action: Action,
            reasoning: str,
            actor: Actor,
            *,
            policy: Policy | None = None,
            severity: Severity | None = None,
        ) -> Proposal:
            wanted = arguments(
                case_id=case_id,
                decision=decision_for(action),
                policy=policy,
                severity=severity,
                action=action,
                reasoning=reasoning,
            )
            return await self.tools.call(ServerName.DATABASE, "propose_decision", wanted, actor=actor, answer=Proposal)

        assert self.screener is not None, "the moderation server needs a model"
        return Powers(
            screen=self.screener.screen,
            policies=self.policies,
            moderate=moderate,
            get_case=get_case,
            propose=propose,
        )


@asynccontextmanager
async def open_house(settings: Settings, *, serving: Sequence[ServerName] = tuple(ServerName)) -> AsyncIterator[House]:
    """Open what `serving` needs, run the workers, and close everything in reverse at the end.

    Raises SettingsError, PolicyFileError, ModelUnavailable or DatabaseUnavailable with what to do about it.
    """
    needed: frozenset[ServerName] = frozenset().union(*(NEEDS[name] for name in serving))
    local = needed - settings.remote_urls.keys()
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        warn_of_langsmith()
        tracer = open_tracer(settings, stack)
        policies = load(settings.policies_dir, settings.opinion_weights)
        await asyncio.to_thread(migrate.upgrade, settings.database)
        database = Database(settings.database, synchronous=settings.sqlite_synchronous)
        await database.start()
        stack.push_async_callback(database.close)
        await database.write(lambda session: _keep_editions(session, policies))
        screener = await _screener(settings, local, stack)
        memory = await _memory(settings, screener, local, stack)
        http = await stack.enter_async_context(httpx2.AsyncClient(follow_redirects=False))
        sender = WebhookSender(http, allow_private=settings.allow_private_webhooks)
        gate, rate_limit = Gate(settings.max_in_flight), RateLimit(settings.rate_limit, settings.rate_limit_storage)
        stack.push_async_callback(rate_limit.close)
        link_limit = RateLimit(LINK_RATE, settings.rate_limit_storage)
        stack.push_async_callback(link_limit.close)
        lifetime = timedelta(days=policies.thresholds.appeals.link_days)
        links = DecisionLinks(signing_secret(settings), settings.reached_at, lifetime)
        limits = (gate, rate_limit, link_limit)
        house = House(settings, policies, database, screener, memory, sender, *limits, links, tracer)
        if memory and screener:
            await index_guidelines(policies, screener, memory)
        endpoints = _endpoints(settings, house.servers(local, actor_in_meta), needed)
        tools = await stack.enter_async_context(
            open_toolbox(endpoints, timeout_s=settings.tool_timeout_s, tracer=tracer)
        )
        checkpointer = await stack.enter_async_context(open_checkpointer(settings.database, settings.data_dir))
        asked, asking_s = open_models(settings, policies, stack, tracer), settings.agents_deadline_s
        services = Services(tools, policies, now, links.to, panel=asked.panel, asking_s=asking_s, tracer=tracer)
        runs = ModerationRuns(services, checkpointer)
        stack.push_async_callback(runs.close)
        house.furnish(tools, runs, AppealRuns(services, checkpointer))
        house.workers = workers_of(house, services, needed, asked.reviewer)
        run_workers(house.workers, stack)
        yield house


def _keep_editions(session: Session, policies: PolicySet) -> None:
    """Note which guidelines are in force, so that a decision's own can be read after they have changed."""
    in_force = {policy: (each.version, each.model_dump_json()) for policy, each in policies.guidelines.items()}
    guideline_editions.keep(session, in_force=in_force, since=now())


async def _screener(settings: Settings, local: frozenset[ServerName], stack: AsyncExitStack) -> Screener | None:
    if not local & {ServerName.MODERATION, ServerName.VECTOR_SEARCH}:
        return None
    screener = await asyncio.to_thread(loaded_screener, settings)
    stack.callback(screener.close)
    return screener


def loaded_screener(settings: Settings) -> Screener:
    """The screener that the settings describe. Raises ModelUnavailable."""
    encoder = load_encoder(settings.embedder, settings.model_folder)
    calibration = Calibration.load(settings.calibration_file, encoder.ref)
    languages = LanguageDetector(encoder.languages, encoder.familiarity)
    return Screener(encoder, Rules.load(), calibration, languages, threads=settings.model_threads)


async def _memory(
    settings: Settings, screener: Screener | None, local: frozenset[ServerName], stack: AsyncExitStack
) -> Memory | None:
    if ServerName.VECTOR_SEARCH not in local or screener is None:
        return None
    if settings.chroma_url:
        return await asyncio.to_thread(Memory.open, None, settings.chroma_url, screener.space)
    folder = settings.data_dir.resolve() / "memory"
    stack.enter_context(owning(folder))
    return await asyncio.to_thread(Memory.open, folder, None, screener.space)


def _endpoints(
    settings: Settings, servers: Mapping[ServerName, MCPServer], needed: frozenset[ServerName]
) -> dict[ServerName, MCPServer | Remote]:
    token = settings.service_token.get_secret_value() if settings.service_token else ""
    remote = {name: Remote(url, token) for name, url in settings.remote_urls.items() if name in needed}
    return {**servers, **remote}
