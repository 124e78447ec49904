"""How long the property tests look: briefly and always alike, or with ``--hypothesis-profile=long`` for as long as
a night allows.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=60, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, max_examples=5000, suppress_health_check=_SLOW)
settings.load_profile("default")
