"""The rules that concern the whole tree, and all that its environments hold."""
