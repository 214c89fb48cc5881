"""Components that more than one project uses."""
