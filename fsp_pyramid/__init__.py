"""A Beefree file system provider on Egnyte, as a Pyramid add-on."""
