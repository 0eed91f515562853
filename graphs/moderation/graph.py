"""The moderation graph: nodes and edges, and nothing else."""

import time
from collections.abc import Awaitable
from typing import Protocol

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from graphs.moderation import consulting, nodes, routes
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
        graph.add_node(node.__name__, _timed(node))
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


def _timed(node: Node) -> Node:
    async def timed(state: State, *, runtime: Runtime[Services]) -> State:
        started = time.perf_counter()
        update = await node(state, runtime=runtime)
        spent = state.get("timings", {}).get(node.__name__, 0.0) + (time.perf_counter() - started) * 1_000
        return {**update, "timings": {node.__name__: round(spent, 3)}}

    return timed
