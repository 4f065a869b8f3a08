"""The database of the bridge: engines, and the tables of all who keep something in it."""
