"""How fast is it? Every number of docs/benchmarks.md, measured on the real stack: `make bench`."""
