"""Changes a group file, one commit after another, until it is killed: `DIRECTORY FIRST_CHANGE`."""

import sys
from itertools import count
from pathlib import Path

from identity_proofs.group import Group
from identity_proofs.group_file_writer import GroupFileWriter


def change(group: Group | GroupFileWriter, number: int) -> None:
    """Do the change with this number, counted from 0; the script is the same every time."""
    removed, fresh = number // 4, 100 * (number + 1)
    if number % 4 == 3:
        group.remove(removed)
    elif number % 4 == 2:
        group.update(group.size - 1, fresh)
    else:
        group.insert_many(range(fresh, fresh + 1 + number % 5))


def main() -> None:
    directory, first = sys.argv[1:]
    with GroupFileWriter(Path(directory)) as writer:
        for number in count(int(first)):
            change(writer, number)
            print(number, flush=True)


if __name__ == "__main__":
    main()
