"""The tests of `ops/`."""
