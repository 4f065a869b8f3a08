"""Beefree's file system provider protocol: the surface that ``config.add_fsp()`` mounts."""
