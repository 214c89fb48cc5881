"""The API's OpenAPI document."""
