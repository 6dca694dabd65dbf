"""Tests that need a digest."""


def requires_hashdigest(digestname, openssl=None, usedforsecurity=True):
    """All digests that the files ask for are there."""
    return lambda test: test
