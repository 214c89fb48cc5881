"""What the functions do, one module a route, against interfaces: no event shapes and no SDK here."""
