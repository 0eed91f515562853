"""Language models come by settings alone; without any, nothing of theirs is even loaded."""

import subprocess
import sys
from contextlib import AsyncExitStack
from typing import Any

import pytest

from cupidsshield.panel import choices, open_models, patient_choices
from cupidsshield.settings import read_settings
from domain.errors import ModelUnavailable, SettingsError
from policies.loader import load

POLICIES = load()


async def test_without_a_model_there_is_neither_panel_nor_reviewer() -> None:
    async with AsyncExitStack() as stack:
        asked = open_models(read_settings(), POLICIES, stack)
    assert (asked.panel, asked.reviewer) == (None, None)


@pytest.mark.parametrize("model", ["openai:small", "ollama:small"])
async def test_a_model_makes_a_panel_and_needs_no_server_yet(model: str) -> None:
    async with AsyncExitStack() as stack:
        settings = read_settings(agents_model=model, agents_url="http://127.0.0.1:9")
        asked = open_models(settings, POLICIES, stack)
        assert asked.panel
        assert asked.reviewer


def test_primary_and_backup_have_addresses_keys_and_prices_of_their_own() -> None:
    settings = read_settings(
        agents_model="openai:a",
        agents_key="k1",
        agents_price_in=1.5,
        agents_backup_model="ollama:b",
        agents_backup_url="http://there:11434",
        agents_timeout_s=2.0,
    )
    first, backup = choices(settings)
    assert (first.model, first.url, first.key, first.price_in) == ("openai:a", "", "k1", 1.5)
    assert (backup.model, backup.url, backup.key, backup.price_in) == ("ollama:b", "http://there:11434", "", 0.0)
    assert first.timeout_s == backup.timeout_s == 2.0


def test_appeals_are_read_by_the_same_models_with_more_time_and_longer_answers() -> None:
    settings = read_settings(agents_model="openai:a", agents_key="k1", agents_appeal_timeout_s=20.0)
    [quick], [patient] = choices(settings), patient_choices(settings)
    assert (patient.model, patient.key, patient.timeout_s) == (quick.model, quick.key, 20.0)
    assert patient.most_tokens > quick.most_tokens


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"agents_model": "gpt-4"}, "openai: or ollama:"),
        ({"agents_backup_model": "openai:b"}, "AGENTS_MODEL"),
        ({"agents_model": "openai:a", "agents_deadline_s": 15.0}, "DEADLINE"),
        ({"agents_model": "openai:a", "agents_url": "not an address"}, "AGENTS_URL"),
        ({"agents_price_in": -1}, "AGENTS_PRICE_IN"),
    ],
)
def test_settings_that_cannot_work_are_refused(wrong: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        read_settings(**wrong)


@pytest.mark.parametrize(("model", "package"), [("openai:a", "langchain_openai"), ("ollama:a", "langchain_ollama")])
async def test_a_missing_package_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, model: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    async with AsyncExitStack() as stack:
        with pytest.raises(ModelUnavailable, match="pip install"):
            open_models(read_settings(agents_model=model), POLICIES, stack)


def test_the_service_loads_no_client_of_a_model() -> None:
    heavy = ["langchain_openai", "langchain_ollama", "openai", "ollama", "tiktoken"]
    check = f"import sys, cupidsshield.bootstrap; sys.exit(any(name in sys.modules for name in {heavy!r}))"
    assert subprocess.run([sys.executable, "-c", check]).returncode == 0
