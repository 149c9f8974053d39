"""Benchmarks: each prints the machine, the input and the number."""
