"""Pages that cross the capabilities of all environments: a page may have any of them."""
