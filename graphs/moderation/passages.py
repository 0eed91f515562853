"""The passages of a text, read each for itself, before a language model may settle doubt about the whole.

Harmless words around a violation, or orders to whoever judges it, make the whole look milder than its worst part. A
passage that is flagged by itself puts the text above the floor: no model clears it.
"""

import asyncio
import re

from domain.actor import system
from domain.content import Content
from domain.signals import Screening
from graphs.moderation.state import Services
from mcp_servers.client import ServerName, arguments
from policies.passages import with_passages

MOST = 8
SHORTEST = 12
"""Characters that say anything by themselves; shorter passages go with the one before."""

_ENDS = re.compile(r"\n+|(?<=[.!?…。！？])\s+")


def passages(text: str) -> tuple[str, ...]:
    """At most `MOST` passages: lines and sentences, neighbours put together where there are more; none for a text that
    is one passage."""
    parts: list[str] = []
    for part in filter(None, (piece.strip() for piece in _ENDS.split(text))):
        if parts and (len(part) < SHORTEST or len(parts[-1]) < SHORTEST):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    together = -(-len(parts) // MOST)
    grouped = (" ".join(parts[i : i + together]) for i in range(0, len(parts), max(together, 1)))
    return tuple(grouped) if len(parts) > 1 else ()


async def read_alone(content: Content, seen: Screening, services: Services) -> Screening:
    """The screening with a signal more where a passage alone reads as a violation. Raises ToolUnavailable."""
    screened = await asyncio.gather(
        *(
            services.tools.call(
                ServerName.MODERATION,
                "screen_content",
                arguments(text=passage, content_type=content.content_type, context=content.context),
                actor=system(content.app_id),
                answer=Screening,
            )
            for passage in passages(seen.normalised)
        )
    )
    return with_passages(seen, screened, services.policies)
