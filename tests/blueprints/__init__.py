"""The customers' environments, deployed for real: every page, with the engine, onto the local cloud, until nothing is left."""
