"""Settings for the whole suite: property tests have no deadline (a kernel may have to compile) and no luck."""

from hypothesis import settings

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")
