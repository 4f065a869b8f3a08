"""What the bridge costs on this machine, each figure against a yardstick of the same run: ``make bench``."""
