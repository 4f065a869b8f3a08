"""Thin: one function an operation of the protocol."""
