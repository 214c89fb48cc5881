"""Stores that are real: servers on loopback that stand in for what AWS would run, each bound to the life of the process that starts it."""
