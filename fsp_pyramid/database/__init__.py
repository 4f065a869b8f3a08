"""Database: engines, the base of all tables, and migrations."""
