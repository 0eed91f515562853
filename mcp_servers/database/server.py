"""Builds the database server."""

from mcp.server import MCPServer

from data.database import Database
from mcp_servers.building import new_server
from mcp_servers.client import ServerName
from mcp_servers.database.appeal_tools import AppealTools
from mcp_servers.database.report_tools import ReportTools
from mcp_servers.database.tools import DatabaseTools
from mcp_servers.expose import READS, WRITES, WRITES_ONCE, expose, resource_errors
from mcp_servers.guard import Guard
from mcp_servers.identity import Call, Identify
from policies.model import PolicySet

INSTRUCTIONS = """The record of a trust-and-safety service for one app: cases, people's histories, the audit
trail, the review queue and the numbers. Read freely; to change an outcome, propose_decision puts your opinion
before a human moderator, who decides."""


def build(database: Database, policies: PolicySet, identify: Identify, guard: Guard | None = None) -> MCPServer:
    """The server over `database`, for callers told apart by `identify`; `policies` say how soon proposals are seen."""
    server = new_server(ServerName.DATABASE, INSTRUCTIONS, guard)
    tools = DatabaseTools(database, policies, identify)
    expose(server, tools.prepare_case, READS, title="Prepare a case")
    expose(server, tools.record_decision, WRITES_ONCE, title="Record a decision")
    expose(server, tools.propose_decision, WRITES, title="Propose a decision")
    expose(server, tools.get_case, READS, title="Get a case")
    expose(server, tools.search_cases, READS, title="Search cases")
    expose(server, tools.get_user_history, READS, title="Get a person's history")
    expose(server, tools.get_audit_trail, READS, title="Get the audit trail")
    expose(server, tools.list_review_queue, READS, title="List the review queue")
    expose(server, tools.get_metrics, READS, title="Get metrics")
    heard = AppealTools(database, policies, identify)
    expose(server, heard.get_appeal, READS, title="Get an appeal")
    expose(server, heard.file_appeal, WRITES_ONCE, title="File an appeal")
    expose(server, heard.lay_brief, WRITES_ONCE, title="Lay a brief beside an appeal")
    expose(server, heard.settle_appeal, WRITES_ONCE, title="Settle an appeal")
    told = ReportTools(database, policies, identify)
    expose(server, told.file_report, WRITES_ONCE, title="File a report")

    @server.resource("case://{case_id}", mime_type="application/json", title="A case")
    async def case(case_id: str, call: Call) -> str:
        """The complete record of one case, as JSON."""
        with resource_errors():
            return (await tools.get_case(case_id, call)).model_dump_json(indent=1)

    return server
