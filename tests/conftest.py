"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# No test measures time: machines are shared, and a first call pays for imports.
settings.register_profile("textmill", deadline=None)
settings.load_profile("textmill")
