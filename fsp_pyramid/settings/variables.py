"""Environment variables of commands and tests that are no settings, although they begin with ``FSP_``."""

CHECK_PASSWORD = 'FSP_CHECK_PASSWORD'  # noqa: S105 - the name of a variable
IMPORT_USERNAME, IMPORT_PASSWORD = 'FSP_IMPORT_USERNAME', 'FSP_IMPORT_PASSWORD'
REQUIRE_SERVICES = 'FSP_REQUIRE_SERVICES'
NO_SETTINGS = frozenset({CHECK_PASSWORD, IMPORT_USERNAME, IMPORT_PASSWORD, REQUIRE_SERVICES})
