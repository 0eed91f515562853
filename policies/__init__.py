"""The guidelines as data, and the pure functions that weigh and decide by them.

Knows the vocabulary of `domain` only: no I/O beyond reading the policy files, no model, no memory, no clock.
"""
