"""What msgspec raises for bytes that it cannot read, in one place: not all of it is an error of msgspec's own."""

import msgspec

# `msgspec.MsgspecError` for what is not JSON (or msgpack) or not of the type, `UnicodeDecodeError` for a string that is
# not UTF-8, `RecursionError` for lists in lists without end.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
