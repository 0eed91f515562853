"""The moderation graph: nodes and edges, and nothing else."""

import time
from collections.abc import Awaitable
from typing import Protocol

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from domain.progress import Step
from graphs.moderation import consulting, nodes, routes
from graphs.moderation.progress import said_of
from graphs.moderation.state import Services, State


class Node(Protocol):
    """A step: reads the state, returns what changes."""

    __name__: str

    def __call__(self, state: State, *, runtime: Runtime[Services]) -> Awaitable[State]: ...


Builder = StateGraph[State, Services, State, State]


def build() -> Builder:
    """The graph, not yet compiled: `runs` compiles it with and without a checkpointer."""
    graph: Builder = StateGraph(State, context_schema=Services)
    for node in (
        nodes.intake,
        nodes.screening,
        nodes.risk_assessment,
        nodes.memory,
        consulting.supervisor,
        consulting.specialists,
        consulting.evidence,
        nodes.decision,
        nodes.action,
        nodes.notification,
    ):
        graph.add_node(node.__name__, _watched(node))
    graph.add_node(nodes.human_review)
    graph.add_edge(START, "intake")
    graph.add_conditional_edges("intake", routes.after_intake)
    graph.add_edge("screening", "risk_assessment")
    graph.add_conditional_edges("risk_assessment", routes.after_assessment)
    graph.add_edge("memory", "risk_assessment")
    graph.add_edge("supervisor", "specialists")
    graph.add_edge("specialists", "risk_assessment")
    graph.add_edge("evidence", "supervisor")
    graph.add_edge("decision", "action")
    graph.add_conditional_edges("action", routes.after_action)
    graph.add_conditional_edges("notification", routes.after_notification)
    graph.add_edge("human_review", "notification")
    return graph


def _watched(node: Node) -> Node:
    """The node, with its time taken, and told of to the tracer and to whoever follows the run."""
    name = node.__name__

    async def watched(state: State, *, runtime: Runtime[Services]) -> State:
        services = runtime.context
        started = time.perf_counter()
        with services.tracer.span(name, {"cupidsshield.node": name}):
            update = await node(state, runtime=runtime)
        took = (time.perf_counter() - started) * 1_000
        if services.on_step:
            services.on_step(Step(node=name, ms=round(took, 3), words=said_of(name, update)))
        return {**update, "timings": {name: round(state.get("timings", {}).get(name, 0.0) + took, 3)}}

    return watched
