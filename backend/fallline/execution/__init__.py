"""Execution of many experiments: fair turns, worker threads, and compiled kernels."""
