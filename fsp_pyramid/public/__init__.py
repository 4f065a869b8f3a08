"""What works without credentials: signed links."""
