"""The vector-search server: what was seen before, and how it was judged."""
