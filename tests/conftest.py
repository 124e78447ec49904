"""How long the property tests look: briefly and always alike, or with ``--hypothesis-profile=long`` for as long as
a night allows. And which runs are spread over all cores.
"""

from __future__ import annotations

import gc
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile("default", derandomize=True, deadline=None, max_examples=60, suppress_health_check=_SLOW)
settings.register_profile("long", deadline=None, max_examples=5000, suppress_health_check=_SLOW)
settings.load_profile("default")


def pytest_addoption(parser: pytest.Parser) -> None:
    """What the differential test plays."""
    group = parser.getgroup("differential", "the comparison with google-genai (test_differential.py)")
    group.addoption("--scenarios", type=int, default=300, help="how many scenarios are played (default: 300)")
    group.addoption("--scenario", type=int, action="append", help="play this one; may be given several times")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """None, which is a worker for each core, for whole folders.

    Files and tests that are named run in this process, where they start at once, and so do those of ``-s``: what tests
    print in a worker is not seen. ``-n 4`` overrules this.
    """
    folders = all(Path(given.partition("::")[0]).is_dir() for given in config.args)
    return None if folders and config.option.capture != "no" else 0


def pytest_collection_finish() -> None:
    """Leave what the imports have made out of garbage collections: tests that ask for one would wait for it, each time
    for what takes a third of a second.
    """
    gc.collect()
    gc.freeze()
