"""HYPOTHESIS_PROFILE=nightly tries forty times as many random sessions (``make nightly``)."""

import os

from hypothesis import settings

settings.register_profile("default", deadline=None)  # other work may share the machine
settings.register_profile("nightly", max_examples=1000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
