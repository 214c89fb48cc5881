"""The stores of the platform, and their keys."""
