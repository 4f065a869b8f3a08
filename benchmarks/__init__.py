"""Benchmarks: the cost of the bridge on this machine, compared with a yardstick of the same run (``make bench``)."""
