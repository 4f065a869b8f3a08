"""Long runs that try to break the service, with figures: ``python -m campaigns``, or ``make campaign``."""
