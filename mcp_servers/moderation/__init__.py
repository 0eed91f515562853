"""The moderation server: screening, decisions, guidelines and explanations."""
