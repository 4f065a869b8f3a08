"""The database of the bridge."""
