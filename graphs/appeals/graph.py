"""The appeals graph: nodes and edges, and nothing else."""

from langgraph.graph import START, StateGraph

from graphs.appeals import nodes, routes
from graphs.appeals.state import AppealState
from graphs.moderation.state import Services

Builder = StateGraph[AppealState, Services, AppealState, AppealState]


def build() -> Builder:
    """The graph, not yet compiled: `runs` compiles it with and without a checkpointer."""
    graph: Builder = StateGraph(AppealState, context_schema=Services)
    for node in (
        nodes.intake,
        nodes.context,
        nodes.evaluation,
        nodes.decision,
        nodes.resolution,
        nodes.notification,
    ):
        graph.add_node(node)
    graph.add_edge(START, "intake")
    graph.add_conditional_edges("intake", routes.after_intake)
    graph.add_conditional_edges("context", routes.after_context)
    graph.add_edge("evaluation", "decision")
    graph.add_edge("decision", "resolution")
    graph.add_conditional_edges("resolution", routes.after_resolution)
    return graph
