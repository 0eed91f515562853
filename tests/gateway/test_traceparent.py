"""Whoever calls with a trace of their own finds our part in it; whoever does not gets none of theirs."""

import pytest
from langgraph.checkpoint.memory import InMemorySaver

from cupidsshield.bootstrap import House
from domain.clock import now
from graphs.moderation.runs import ModerationRuns
from graphs.moderation.state import Services
from tests.gateway.asking import CLEAN, MODERATE
from tests.gateway.conftest import MakeKey, OpenApp, client_of
from tests.watching import Watched

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize("stream", ["false", "true"])
async def test_a_run_goes_on_with_the_trace_of_its_caller(
    house: House, open_app: OpenApp, make_key: MakeKey, stream: str
) -> None:
    watched = Watched()
    services = Services(house.tools, house.policies, now, house.links.to, tracer=watched.tracer)
    runs, key = ModerationRuns(services, InMemorySaver()), (await make_key()).key
    async with open_app(runs=runs, tracer=watched.tracer) as app, client_of(app, key) as client:
        for headers in ({"traceparent": f"00-{TRACE}-{PARENT}-01"}, {"traceparent": "00-0-0-1"}, {}):
            sent = {"content": CLEAN, "user_id": "u1"}
            response = await client.post(MODERATE, params={"stream": stream}, json=sent, headers=headers)
            assert response.status_code == 200
    first, *others = watched.named("moderate")
    assert first.parent is not None
    assert (f"{first.context.trace_id:032x}", f"{first.parent.span_id:016x}") == (TRACE, PARENT)
    assert [other.parent for other in others] == [None, None]
    assert len({span.context.trace_id for span in watched.spans}) == 3
