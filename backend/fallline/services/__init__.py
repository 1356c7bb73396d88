"""Everything that web, command line and tests can do with experiments."""
