"""The payment service: domain, storage and Lambda handlers. It knows nothing of the infrastructure that carries it."""
