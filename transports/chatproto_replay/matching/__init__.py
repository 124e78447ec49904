"""Strict comparison of requests with recorded ones, and reports that say what changed.

``canonical`` says when two are equal, ``differences`` where they differ (``alignment`` for lists); ``mismatches`` makes
the report of it, with ``excerpts`` of values and ``advice``. ``paths`` are the JSON paths of rules and reports. The
rules themselves are ``chatproto_replay.rules``.
"""
