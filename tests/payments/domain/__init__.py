"""Rules that need no storage."""
