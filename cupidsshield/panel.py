"""Wires the language models that the settings name to the panel of specialists and to the appeal reviewer; without any
there is neither."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from agents.appeals import AppealReviewer
from agents.models import ModelChoice, made
from agents.panel import Panel
from agents.prompts import Prompts
from agents.spending import Spending
from agents.steady import Steady
from cupidsshield.settings import Settings
from domain.clock import now
from policies.model import PolicySet
from policies.render import as_text

LONGEST_READING = 2_000
"""Tokens of a reading of an appeal, which is some pages of JSON where an opinion is a few lines."""


def prompts_for(policies: PolicySet) -> Prompts:
    """All prompts with the guidelines in force. Raises PolicyFileError where one is missing or broken."""
    return Prompts({policy: as_text(guideline) for policy, guideline in policies.guidelines.items()})


@dataclass(frozen=True)
class Asked:
    """Who asks language models; nobody where none is configured."""

    panel: Panel | None = None
    reviewer: AppealReviewer | None = None


def open_models(settings: Settings, policies: PolicySet, stack: AsyncExitStack) -> Asked:
    """Who asks language models, closed with `stack`.

    What an app may spend is counted for both together. Everything else is apart: the reviewer has more time, and what
    it waits for holds up no decision and opens no breaker of the panel's.

    Raises PolicyFileError where a prompt is missing or broken, ModelUnavailable where a package is not installed.
    """
    prompts = prompts_for(policies)
    if not settings.agents_model:
        return Asked()
    spending, quick, patient = Spending(now), choices(settings), patient_choices(settings)
    panel = Panel(Steady([made(choice) for choice in quick], spending, cache=settings.agents_cache), prompts)
    stack.push_async_callback(panel.close)
    readers = Steady([made(choice) for choice in patient], spending, cache=settings.agents_cache)
    reviewer = AppealReviewer(readers, prompts, within_s=settings.agents_appeal_timeout_s * len(patient))
    stack.push_async_callback(reviewer.close)
    return Asked(panel, reviewer)


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


def patient_choices(settings: Settings) -> tuple[ModelChoice, ...]:
    """The same models for what nobody waits for, with longer answers and more time for them."""
    patience = settings.agents_appeal_timeout_s
    return tuple(replace(choice, timeout_s=patience, most_tokens=LONGEST_READING) for choice in choices(settings))
