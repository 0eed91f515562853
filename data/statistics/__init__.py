"""Counts over the record, worked out by the database: each function is one statement or two, whatever the volume.

All take the tenants that they may count (`app_ids`) and count nothing of any other. They read no content.
"""
