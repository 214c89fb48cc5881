"""The payment service: functions behind an API, a queue, and events."""
