"""The commands that this package adds to `vigil`: `up`, `demo` and `doctor`."""
