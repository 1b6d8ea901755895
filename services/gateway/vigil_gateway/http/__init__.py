"""The HTTP application: keys, limits, problems, and the pages for the operator."""
