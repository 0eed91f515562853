"""The moderation graph: intake, screening, risk assessment, memory, decision, action, notification, review."""
