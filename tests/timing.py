"""Time-outs of tests: no test depends on the speed of the machine."""

# Time-out, in seconds, for an event that has to come. Only a hang takes so long.
PATIENCE = 120.0
