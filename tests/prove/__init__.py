"""Long proofs, run by `make prove` and not by `make test`: file names that pytest doesn't collect by itself."""
