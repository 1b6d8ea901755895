"""Headers of every file of the console: nothing in a camera's name or a model's words can run, or load anything from
elsewhere, and no other site can show the console in a frame.

The console shows pages that brains made in frames (`frame-src`). Each is delivered by this gateway with a policy of its
own (`vigil_gateway.tasks.delivery`), which gives it no origin. That the console names only itself here also keeps such
a page from leading its frame to another site, with what it holds in the address.
"""

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob: data:",
    "connect-src": "'self'",
    "media-src": "'self' blob:",
    "frame-src": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
_PERMISSIONS = {
    "camera": "(self)",
    "microphone": "(self)",
    "display-capture": "(self)",
    "geolocation": "()",
    "payment": "()",
    "usb": "()",
}

PROTECTION = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": ", ".join(f"{name}={value}" for name, value in _PERMISSIONS.items()),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# The index names the assets of one build, so it is asked for anew; an asset's name changes with what it holds.
INDEX_CACHE = "no-store"
ASSET_CACHE = "public, max-age=31536000, immutable"
