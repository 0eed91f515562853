"""`cupidsshield graph`: the moderation graph, drawn from itself."""

import typer

from graphs.moderation.graph import build


def graph() -> None:
    """Print the moderation graph as a Mermaid diagram, drawn from the graph itself."""
    typer.echo(build().compile().get_graph().draw_mermaid())
