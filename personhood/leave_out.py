"""The list of photographs and pairs of people that a calibration leaves out."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from personhood.errors import FacesUnusable


@dataclass(frozen=True)
class LeaveOut:
    """What somebody looked at and found to be labelled wrongly.

    Args:
        photographs: `person/file`, not read at all.
        pairs: of folders that show one person, compared neither as one nor as two.
    """

    photographs: frozenset[str] = frozenset()
    pairs: frozenset[frozenset[str]] = frozenset()

    def pairs_among(self, names: Sequence[str]) -> list[frozenset[int]]:
        """The pairs by the places of their names; those with a name that is not there are none."""
        number = {name: i for i, name in enumerate(names)}
        known = (pair for pair in self.pairs if all(name in number for name in pair))
        return sorted((frozenset(number[name] for name in pair) for pair in known), key=sorted)

    def digest_with(self, photographs: str) -> str:
        """SHA-256, hex, of the digest of the photographs and of this list."""
        lines = [*sorted(self.photographs), *sorted(" ".join(sorted(p)) for p in self.pairs)]
        return hashlib.sha256("\n".join([photographs, *lines]).encode()).hexdigest()


def read_leave_out(path: Path | None, directory: Path) -> LeaveOut:
    """Read a list: on each line a photograph, or two folders; `#` begins a comment.

    Names with spaces are separated by a tab.

    Args:
        path: of the list; None for an empty one.
        directory: of the photographs.

    Raises:
        FacesUnusable: a line is neither, or names a photograph that is not there.
    """
    photographs, pairs = set(), set()
    for number, line in enumerate(path.read_text().splitlines() if path else [], start=1):
        text = line.partition("#")[0].strip()
        names = text.split("\t") if "\t" in text else text.split()
        if not text:
            continue
        if (directory / text).is_file():
            photographs.add(text)
        elif len(set(names)) == 2 and not any("/" in name for name in names):
            pairs.add(frozenset(names))
        else:
            raise FacesUnusable(
                f"{path}, line {number}: neither a photograph in {directory} nor two folders"
            )
    return LeaveOut(frozenset(photographs), frozenset(pairs))
