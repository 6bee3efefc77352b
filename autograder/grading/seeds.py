"""Seeds of what the judge draws: the same for every submission, and nobody can compute them who does not know the salt.

The seeds that workers receive are others (see `questions.seed_of`): they derive from what the worker receives anyway.
"""

from __future__ import annotations

import hmac


def secret_seed(salt: str, *purpose: str) -> int:
    """A number of 64 bits for this purpose, by a hash with the salt as its key."""
    digest = hmac.digest(salt.encode(), "\0".join(purpose).encode(), "sha256")
    return int.from_bytes(digest[:8], "little")
