"""The notifications server: tells apps, users and moderators, and knows what was told."""
