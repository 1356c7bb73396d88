"""The contest of `bench_engine`: workloads, rivals, environments, rounds, and the report."""
