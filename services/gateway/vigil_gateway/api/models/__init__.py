"""What travels over HTTP, one module per family. The descriptions are the API's manual."""
