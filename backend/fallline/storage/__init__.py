"""Where experiments are kept: one interface, a memory that forgets, and a database that does not."""
