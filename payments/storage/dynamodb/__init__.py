"""Payments in one DynamoDB table; `table` says how it is laid out."""
