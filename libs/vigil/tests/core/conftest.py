"""Hypothesis for a machine that may be busy: no deadline per example, a fixed number of them."""

from hypothesis import settings

settings.register_profile("core", deadline=None, max_examples=100)
settings.load_profile("core")
