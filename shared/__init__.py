"""What all four programs import: the environment's page, names, tags, contracts, and the components used twice."""
