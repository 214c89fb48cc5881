"""The tests of the payment service."""
