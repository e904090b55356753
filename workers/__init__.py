"""workers."""

import streams.lean_redis  # noqa: F401 - first: whoever imports redis later gets this one
