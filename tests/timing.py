"""Time in tests: no test depends on the speed of the machine."""

# Seconds until a test gives up on an event that has to come. Only a hang takes so long.
PATIENCE = 120.0
