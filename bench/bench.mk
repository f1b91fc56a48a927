# Benchmarks. `make bench` runs all, `make bench-NAME` one.
