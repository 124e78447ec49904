"""Cassettes over HTTP, on loopback or in memory, and a proxy that records.

``server`` listens, ``application`` speaks HTTP, and a source answers (``sources``): ``takes`` from cassettes,
``forwarding`` from another server. ``aiohttp_adapter`` is the same without a socket, over a ``pipe`` in memory.
"""
