"""A run's stored states, and the replay of steps from them. Knows no `Run`."""
