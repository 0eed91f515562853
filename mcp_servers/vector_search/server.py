"""Builds the vector-search server."""

from mcp.server import MCPServer

from data.memory import Memory
from mcp_servers.building import new_server
from mcp_servers.client import ServerName
from mcp_servers.expose import READS, WRITES, WRITES_ONCE, expose
from mcp_servers.guard import Guard
from mcp_servers.identity import Identify
from mcp_servers.vector_search.tools import Embed, VectorSearchTools

INSTRUCTIONS = """The memory of a trust-and-safety service, for one app: texts seen before and how they were judged.
Precedents marked confirmed were decided by people; the others were not, and prove nothing."""


def build(memory: Memory, embed: Embed, identify: Identify, guard: Guard | None = None) -> MCPServer:
    """The server over `memory`, for callers told apart by `identify`."""
    server = new_server(ServerName.VECTOR_SEARCH, INSTRUCTIONS, guard)
    tools = VectorSearchTools(memory, embed, identify)
    expose(server, tools.search_similar_violations, READS, title="Search similar violations")
    expose(server, tools.search_similar_cases, READS, title="Search similar cases")
    expose(server, tools.search_policies, READS, title="Search the guidelines")
    expose(server, tools.recall, READS, title="Recall")
    expose(server, tools.add_flagged_content, WRITES, title="Add flagged content")
    expose(server, tools.add_historical_case, WRITES, title="Add a historical case")
    expose(server, tools.remember, WRITES_ONCE, title="Remember")
    return server
