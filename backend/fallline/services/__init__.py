"""What one can do with experiments, whoever asks: the web, the command line, a test."""
