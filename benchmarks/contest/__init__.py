"""The contest of `bench_engine`: workloads, rivals in environments and processes, rounds, and what is told of them."""
