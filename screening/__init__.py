"""Fast, local screening: normalisation, rules and the embedded classifier, turned into signals.

Nothing here decides, remembers or calls a network.
"""
