"""One module a version, v0001 the first."""
