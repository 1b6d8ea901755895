"""The report of an exam: results as plain data, the HTML page, and what a terminal shows."""
