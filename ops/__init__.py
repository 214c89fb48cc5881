"""What `tasks.py` calls: the tool chain, the engine, the queue over the four stacks, guards, reports."""
