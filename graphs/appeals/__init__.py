"""The appeals graph: intake, context, evaluation, decision (a person), resolution, notification."""
