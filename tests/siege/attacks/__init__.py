"""The attacks of the siege, one module each."""
