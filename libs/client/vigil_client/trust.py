"""Whose certificates are accepted where an address is `https://` or `tls://`."""

import ssl

from vigil_client.errors import ClientError


def trusting(ca_file: str) -> ssl.SSLContext | None:
    """The authorities of a PEM file, beside those of the system; None for no file: then the system's alone are trusted.

    Raises `ClientError` when the file cannot be used.
    """
    if not ca_file:
        return None
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(ca_file)
    except OSError as error:
        reason = "no certificate is in it" if isinstance(error, ssl.SSLError) else error.strerror
        raise ClientError(
            f"the file of authorities {ca_file} cannot be used: {reason}", "give another PEM file with --ca-file"
        ) from None
    return context
