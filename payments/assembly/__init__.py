"""Puts together what runs behind the queue and the schedule, from its settings: for Lambda and the container alike."""
