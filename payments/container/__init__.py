"""The service in a container, for where Lambda is not wanted: routes, consumers and the relay are those of the functions."""
