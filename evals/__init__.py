"""Benchmarks and evaluations. They measure the product from outside and are never imported by it."""
