"""How many bytes a request may have, through every door."""

MAX_BODY_BYTES = 256 * 1024
# Pictures in base64, and the history that clients of the OpenAI API send along.
MAX_CHAT_BODY_BYTES = 8 * 1024 * 1024
