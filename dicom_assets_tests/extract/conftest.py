"""Property tests get as long as they need: on a busy machine an example may wait for its turn."""

from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
