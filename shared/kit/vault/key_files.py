"""Keys of 32 random bytes: given as base64 text, or kept in a file, which is created if it is missing."""

import base64
import os
from contextlib import suppress
from pathlib import Path

KEY_BYTES = 32


class KeyFileError(Exception):
    """No key is given, or it is not 32 bytes in base64."""


def read_key(text: str | None, file: Path | None) -> bytes:
    """Return a key from its base64 text, else from its file, which is created with mode 600 if it is missing.

    Raises:
        KeyFileError: neither is given, or the text is not 32 bytes in base64.
    """
    if text is None and file is not None:
        text = _read_or_create(file)
    if text is None:
        raise KeyFileError("neither the key nor its file is given")
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        raise KeyFileError("the key is not base64") from None
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"the key must be {KEY_BYTES} bytes, not {len(key)}")
    return key


def _read_or_create(file: Path) -> str:
    if not file.exists():
        _create(file)
    return file.read_text().strip()


def _create(file: Path) -> None:
    """Create the file with its content in one step: another process may do the same at this moment."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(base64.b64encode(os.urandom(KEY_BYTES)).decode() + "\n")
    with suppress(FileExistsError):  # the other process was first: its key counts, and this one is dropped
        os.link(draft, file)
    draft.unlink()
