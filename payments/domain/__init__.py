"""What a payment is and what it may never contain; no SDK is imported here."""
