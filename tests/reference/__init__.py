"""The pages of `docs/` that are generated from the code: settings and metrics. `make docs` writes them."""
