"""The version, where setup.cfg can read it without importing the package's dependencies."""

version = '0.2.0.dev0'
