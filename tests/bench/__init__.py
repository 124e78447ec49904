"""What chatproto costs, beside google-genai and the bare HTTP libraries: ``python tests/bench``.

Each measurement runs in a process of its own, against a loopback server in another. The implementations take turns, and
a ratio is taken within a round, so that a machine whose speed drifts does not decide it.
"""
