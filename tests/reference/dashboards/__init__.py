"""The dashboards that the chart and compose give to Grafana, written as code: `make docs` makes their files."""
