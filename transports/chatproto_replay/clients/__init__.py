"""Cassettes for programs that hold a client of their own: transports of httpx and httpx2."""
