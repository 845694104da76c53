"""Long proofs, run by `make prove` and not by `make test`: pytest doesn't collect these file names automatically."""
