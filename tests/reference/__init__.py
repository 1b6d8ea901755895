"""What is generated from the code: reference pages of `docs/`, and files of the chart. `make docs` writes them."""
