"""One module for each version, starting with v0001."""
