"""For operators: commands through a socket in the data folder, and the log."""
