"""Who listens to what, and what each reader has not yet had."""
