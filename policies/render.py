"""A guideline as text that a model is given: the same words that people have, from the same file."""

from domain.vocabulary import Severity
from policies.model import Guideline


def as_text(guideline: Guideline) -> str:
    """Rule, scope, severities and examples of a guideline, in Markdown."""
    lines = [
        f"## {guideline.title} (`{guideline.name}`, version {guideline.version})",
        guideline.rule.strip(),
        "",
        "It covers:",
        *(f"- {item}" for item in guideline.covers),
        "It does not cover:",
        *(f"- {item}" for item in guideline.does_not_cover),
        "Severities:",
        *(f"- `{severity}`: {getattr(guideline.severities, severity)}" for severity in Severity),
        "Examples of violations:",
        *(f"- “{example.text}” (`{example.severity}`): {example.why}" for example in guideline.examples),
        "Examples of what is fine:",
        *(f"- “{example.text}”: {example.why}" for example in guideline.fine),
    ]
    return "\n".join(lines)
