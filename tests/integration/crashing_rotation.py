"""`personhood keys rotate` in a process that kills itself at a named point.

python -m tests.integration.crashing_rotation POINT

The environment says which database and which keys.
"""

import sys
from pathlib import Path
from typing import Any

from personhood import cli
from tests.integration.power_cut import die_at
from uniqueness import key_files, rotation

POINTS: dict[str, tuple[Any, str, str, int]] = {
    "old key retired, no new one": (key_files, "_write_key", "before", 1),
    "new key written, not active": (Path, "rename", "before", 1),
    "new key active, nothing sealed": (Path, "rename", "after", 1),
    "records sealed, not committed": (rotation, "_reseal_some", "after", 2),
    "some records committed": (rotation, "_reseal_some", "before", 3),
    "templates done, some verdicts": (rotation, "_reseal_some", "before", 6),
    "all done, not told": (rotation, "reseal", "after", 1),
}


def main(point: str) -> None:
    rotation._BATCH = 4
    die_at(*POINTS[point])
    sys.argv[1:] = ["keys", "rotate"]
    cli.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
