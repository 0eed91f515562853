"""Wires the language models that the settings name to the panel of specialists; without any there is no panel."""

from contextlib import AsyncExitStack

from agents.models import ModelChoice, made
from agents.panel import Panel
from agents.prompts import Prompts
from agents.spending import Spending
from agents.steady import Steady
from cupidsshield.settings import Settings
from domain.clock import now
from domain.tracing import SILENCE, Tracer
from policies.model import PolicySet
from policies.render import as_text


def prompts_for(policies: PolicySet) -> Prompts:
    """All prompts with the guidelines in force. Raises PolicyFileError where one is missing or broken."""
    return Prompts({policy: as_text(guideline) for policy, guideline in policies.guidelines.items()})


def open_panel(
    settings: Settings, policies: PolicySet, stack: AsyncExitStack, tracer: Tracer = SILENCE
) -> Panel | None:
    """The panel, telling `tracer` and closed with `stack`, or None where no model is configured.

    Raises PolicyFileError where a prompt is missing or broken, ModelUnavailable where a package is not installed.
    """
    prompts = prompts_for(policies)
    if not settings.agents_model:
        return None
    judges = [made(choice) for choice in choices(settings)]
    models = Steady(judges, Spending(now), cache=settings.agents_cache, tracer=tracer)
    panel = Panel(models, prompts, tracer)
    stack.push_async_callback(panel.close)
    return panel


def choices(settings: Settings) -> tuple[ModelChoice, ...]:
    """The models to ask, the primary first."""
    primary = ModelChoice(
        model=settings.agents_model,
        url=settings.agents_url,
        key=settings.agents_key.get_secret_value() if settings.agents_key else "",
        price_in=settings.agents_price_in,
        price_out=settings.agents_price_out,
        timeout_s=settings.agents_timeout_s,
    )
    if not settings.agents_backup_model:
        return (primary,)
    backup = ModelChoice(
        model=settings.agents_backup_model,
        url=settings.agents_backup_url,
        key=settings.agents_backup_key.get_secret_value() if settings.agents_backup_key else "",
        price_in=settings.agents_backup_price_in,
        price_out=settings.agents_backup_price_out,
        timeout_s=settings.agents_timeout_s,
    )
    return (primary, backup)
