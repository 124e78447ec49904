"""``chatproto cassette``: the command line for cassettes.

``group`` is the commands; each works with one other module: ``showing`` (show), ``soundness`` (check), ``comparing``
(diff), ``redaction.changing`` (redact), ``importing`` and ``vcr_files`` (import), ``serving.server`` (serve).
``answers`` reads what a model said with the machines themselves; ``chaining`` finds which request goes on from which.
"""
