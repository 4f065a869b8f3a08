"""Tests of engines and connections."""
