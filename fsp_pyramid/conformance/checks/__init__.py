"""Checks, one module for each group."""
