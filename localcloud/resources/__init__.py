"""One module per AWS service; each lists its resource types in `KINDS` and its look-ups in `FUNCTIONS`."""
