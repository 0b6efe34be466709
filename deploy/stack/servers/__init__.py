"""The servers that others wrote, each on private ports with its data in the stack's home."""
