"""Earlier editions of a guideline, and what changed since, in words for whoever decides about an appeal. Pure."""

from collections.abc import Iterator

from pydantic import ValidationError

from domain.vocabulary import Severity
from policies.model import Guideline


def read_edition(body: str) -> Guideline | None:
    """The guideline as it was kept; None where its form is one that this version no longer reads."""
    try:
        return Guideline.model_validate_json(body)
    except ValidationError:
        return None


def changed_since(body: str | None, now: Guideline) -> tuple[str, ...] | None:
    """What is different now from an edition as it was kept; None where none was, or it cannot be read."""
    before = read_edition(body) if body else None
    return changes(before, now) if before else None


def changes(before: Guideline, now: Guideline) -> tuple[str, ...]:
    """What is different now, a sentence each; examples are left out, for they only illustrate."""
    return tuple(_changes(before, now))


def _changes(before: Guideline, now: Guideline) -> Iterator[str]:
    if before.rule != now.rule:
        yield f"The rule was “{before.rule}”, and is “{now.rule}” now."
    for what, old, new in (
        ("covered", before.covers, now.covers),
        ("said not to be covered", before.does_not_cover, now.does_not_cover),
    ):
        yield from (f"Newly {what}: “{each}”." for each in new if each not in old)
        yield from (f"No longer {what}: “{each}”." for each in old if each not in new)
    for severity in Severity:
        old_meaning, new_meaning = (getattr(each.severities, severity) for each in (before, now))
        if old_meaning != new_meaning:
            yield f"Severity {severity} meant “{old_meaning}”, and means “{new_meaning}” now."
        old_action, new_action = before.ladder.at(severity), now.ladder.at(severity)
        if old_action is not new_action:
            yield f"Severity {severity} led to {_words(old_action)}, and leads to {_words(new_action)} now."


def _words(action: str) -> str:
    return action.replace("_", " ")
