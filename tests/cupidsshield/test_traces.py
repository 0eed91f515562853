"""Where traces go is set in one place; wherever they go, no decision and no end of the service waits for them."""

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cupidsshield import traces
from cupidsshield.bootstrap import open_house
from cupidsshield.settings import read_settings
from cupidsshield.traces import open_tracer
from domain.errors import SettingsError
from domain.submission import Submission
from domain.tracing import SILENCE
from domain.vocabulary import Policy
from tests import factories
from tests.collector import collecting

MARK = "zanzibarquux"
SCAM = f"Send me money on WhatsApp for crypto investment! {MARK}"
NOBODY = "http://127.0.0.1:9"


async def test_by_default_nobody_listens() -> None:
    async with AsyncExitStack() as stack:
        assert open_tracer(read_settings(), stack) is SILENCE


async def test_variables_of_opentelemetry_alone_switch_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", NOBODY)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    async with AsyncExitStack() as stack:
        assert open_tracer(read_settings(), stack) is SILENCE


@pytest.mark.parametrize("wrong", ["yes", "collector:4318", "file:///tmp/spans"])
def test_what_is_no_place_for_spans_is_refused(wrong: str) -> None:
    with pytest.raises(SettingsError, match=r"CUPIDSSHIELD_TRACES: expected console, or the address"):
        read_settings(traces=wrong)


async def test_a_missing_package_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsError, match="pip install"):
            open_tracer(read_settings(traces=NOBODY), stack)


def test_the_service_loads_no_exporter_while_traces_are_off() -> None:
    check = "import sys, cupidsshield.bootstrap; sys.exit('opentelemetry.exporter.otlp.proto.http' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0


async def test_a_collector_gets_spans_by_otlp_under_the_name_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=one")
    names = []
    for name in (None, "shield-eu"):
        if name:
            monkeypatch.setenv("OTEL_SERVICE_NAME", name)
        with collecting() as collector:
            async with AsyncExitStack() as stack:
                tracer = open_tracer(read_settings(traces=f"{collector.url}/"), stack)
                with tracer.span("moderate", {"cupidsshield.replayed": False}, begins=True), tracer.span("intake"):
                    pass
            assert sorted(collector.span_names()) == ["intake", "moderate"]
            assert collector.headers[0]["x-tenant"] == "one"
            (request,) = collector.traces()
            about = {pair.key: pair.value.string_value for pair in request.resource_spans[0].resource.attributes}
            names.append(about["service.name"])
    assert names == ["cupidsshield", "shield-eu"]


async def test_on_the_console_spans_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    async with AsyncExitStack() as stack:
        tracer = open_tracer(read_settings(traces="console"), stack)
        with tracer.span("moderate", begins=True):
            pass
    told = capsys.readouterr()
    assert told.out == ""
    assert '"name": "moderate"' in told.err


async def test_a_sampler_of_the_standard_variables_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    with collecting() as collector:
        async with AsyncExitStack() as stack:
            tracer = open_tracer(read_settings(traces=collector.url), stack)
            with tracer.span("moderate", begins=True), tracer.span("intake") as span:
                span.note({"a": 1})
        assert collector.received == []


async def test_a_collector_that_hangs_holds_up_nothing_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "EXPORT_S", 0.2)
    with collecting(hangs=True) as collector:
        async with asyncio.timeout(5), AsyncExitStack() as stack:
            tracer = open_tracer(read_settings(traces=collector.url), stack)
            for _ in range(3_000):
                with tracer.span("moderate", begins=True):
                    pass


@pytest.mark.parametrize("there", [True, False])
async def test_a_whole_service_decides_and_ends_whether_or_not_a_collector_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(traces, "EXPORT_S", 0.5)
    with collecting() as collector:
        settings = read_settings(data_dir=tmp_path, traces=collector.url if there else NOBODY)
        async with open_house(settings) as house:
            content = factories.content(SCAM, user_id=f"{MARK}-u")
            answer = await house.runs.moderate(Submission(content=content), factories.agent(content.app_id))
        assert answer.violation_type is Policy.SCAMS
        names = collector.span_names()
        assert {"moderate", "intake", "tools/call record_decision"} <= set(names) if there else names == []
        assert MARK not in collector.text()
