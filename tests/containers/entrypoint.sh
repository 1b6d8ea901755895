#!/bin/sh
# As in the public images of NATS and Redis: options go to the server; any other command runs as it is.
server=$1
shift
case "${1:-}" in
  "" | -* | *.conf) exec "$server" "$@" ;;
  *) exec "$@" ;;
esac
