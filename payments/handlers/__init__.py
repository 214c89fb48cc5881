"""Lambda entry points, one module a function: they read the event, call the service and shape the answer."""
