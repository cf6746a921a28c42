"""The Content-Security-Policy of the viewer: it loads from this server only, as pages do, but runs more there."""

import base64
import hashlib
import re

_INLINE = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'self'; "
    # Decoders make functions at run time; 'wasm-unsafe-eval' alone breaks those of JPEG 2000 and of segmentations.
    "script-src 'self' 'unsafe-eval' blob: {inline}; "
    "worker-src 'self' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; "
    "connect-src 'self' data: blob:; "
    "font-src 'self' data:; "
    "media-src 'self' blob:; object-src 'self' blob:; frame-src 'self' blob:; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def policy(page: bytes) -> str:
    """Return the policy for a build. Its workers use that of their own scripts, so every answer carries it.

    Parameters
    ----------
    page
        ``index.html`` as it is served: the scripts in it are allowed by their hash, and no others.

    """
    hashes = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in _INLINE.findall(page))
    return _POLICY.format(inline=" ".join(f"'sha256-{one}'" for one in hashes))
