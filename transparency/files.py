"""Files that are there after a power cut: replaced as a whole, or lengthened by whole lines."""

import os
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Write a small file, whole or not at all; its directory is made if absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    _sync_directory(path.parent)


def append_durably(path: Path, end: int, lines: bytes) -> None:
    """Put lines at a place of a file; what lies behind it, the rest of a crash, is cut off.

    Args:
        path: made, with its directory, if absent.
        end: bytes that count so far.
        lines: each with its newline.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("ab") as file:
        file.truncate(end)
        file.write(lines)
        file.flush()
        os.fsync(file.fileno())
    if is_new:
        _sync_directory(path.parent)


def _sync_directory(path: Path) -> None:
    """Make the names in a directory survive, too."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
