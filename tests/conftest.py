"""What all tests share: hypothesis without deadlines, since shared machines are noisy."""

from hypothesis import settings

settings.register_profile("mmd", deadline=None, print_blob=True)
settings.load_profile("mmd")
