"""The appeals graph: nodes and edges, and nothing else."""

from collections.abc import Awaitable
from typing import Protocol

from langgraph.graph import START, StateGraph
from langgraph.runtime import Runtime

from graphs.appeals import nodes, routes
from graphs.appeals.state import AppealState
from graphs.moderation.state import Services


class Node(Protocol):
    """A step: reads the state, returns what changes."""

    __name__: str

    def __call__(self, state: AppealState, *, runtime: Runtime[Services]) -> Awaitable[AppealState]: ...


Builder = StateGraph[AppealState, Services, AppealState, AppealState]


def build() -> Builder:
    """The graph, not yet compiled: `runs` compiles it with and without a checkpointer."""
    graph: Builder = StateGraph(AppealState, context_schema=Services)
    for node in (
        nodes.intake,
        nodes.context,
        nodes.evaluation,
        nodes.resolution,
        nodes.notification,
    ):
        graph.add_node(node.__name__, _told(node))
    graph.add_node(nodes.decision)
    graph.add_edge(START, "intake")
    graph.add_conditional_edges("intake", routes.after_intake)
    graph.add_conditional_edges("context", routes.after_context)
    graph.add_edge("evaluation", "decision")
    graph.add_edge("decision", "resolution")
    graph.add_conditional_edges("resolution", routes.after_resolution)
    return graph


def _told(node: Node) -> Node:
    async def told(state: AppealState, *, runtime: Runtime[Services]) -> AppealState:
        with runtime.context.tracer.span(node.__name__, {"cupidsshield.node": node.__name__}):
            return await node(state, runtime=runtime)

    return told
