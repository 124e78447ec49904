"""What chatproto costs, beside google-genai and the bare HTTP libraries.

``python tests/bench`` measures everything and writes a table with the budget, a plot and the data; ``python tests/bench
soak`` shows that memory stays flat. Each measurement runs in a process of its own, against a loopback server in
another. The implementations take turns, and a ratio is taken within a round, so that a machine whose speed drifts does
not decide it.

``budget`` has the rows of the table, ``workloads`` what is done for them, ``libraries`` by whom. ``measuring`` takes a
figure, ``running`` runs all rounds, ``results`` makes ratios of them, and ``table`` and ``plot`` show those.
"""
