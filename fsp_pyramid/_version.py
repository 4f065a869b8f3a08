"""The version, where setup.cfg can read it without importing the package's dependencies."""

version = '0.1.dev0'
