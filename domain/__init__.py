"""The vocabulary of the house: what every room above speaks of.

Types, legal transitions and errors only. No I/O and no framework but pydantic.
"""
