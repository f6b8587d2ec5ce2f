"""The pictures below a folder, and a reason for every other file there.

Links to files and folders are followed. A folder is read once, under its own name where it has
one: a link to a folder that is read already, or that holds the one it lies in, is not followed.
"""

import errno
import heapq
import os
import stat
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from mtgan.data.folders.pictures import ENDINGS, OVERVIEW, attempt_all, is_overview, is_picture
from mtgan.data.folders.results import kind_of
from mtgan.errors import UserError
from mtgan.files import reason
from mtgan.text import printable

Place = tuple[str, ...]  # a path below the folder, in parts

_HIDDEN = "hidden"
_NOWHERE = "links that lead nowhere"
_AGAIN = "links to folders that are read already, or lead in a circle"
_SPECIAL = "pipes, sockets or devices"
_WRITTEN = "what mtgan wrote of a"
_FOREIGN = "no pictures of a format that is read"
_EXAMPLES = 3
_LONGEST_SHOWN = 150


@dataclass
class Tree:
    """What lies below a folder.

    pictures: in order; folders: all that were read, without the one itself; left_out: reason ->
    files and links that are no part of the pictures. Hidden files count where they end as pictures
    do.
    """

    pictures: list[Place] = field(default_factory=list)
    folders: set[Place] = field(default_factory=set)
    left_out: dict[str, list[Place]] = field(default_factory=dict)

    def leave_out(self, why: str, place: Place) -> None:
        self.left_out.setdefault(why, []).append(place)

    def take_out(self, read: Iterable[Place]) -> None:
        """Files that are read after all, as no pictures: they are not left out."""
        read = set(read)
        for places in self.left_out.values():
            places[:] = [place for place in places if place not in read]


def read_tree(folder: Path) -> Tree:
    """Walk a folder; UserError where it cannot be read itself."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise UserError(f"The folder {folder} cannot be read: {reason(error)}.") from error
    return _Walk(folder).whole()


class _Walk:
    """A walk below a folder: first all that lies in it, then what links lead to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tree = Tree()
        self.seen: set[tuple[int, int]] = set()  # device and inode
        self.ahead: list[tuple[Place, bool]] = [((), False)]  # folders, and whether they are hidden
        self.links: list[Place] = []  # to folders; a heap
        self.others: list[Place] = []  # files whose ending says nothing

    def whole(self) -> Tree:
        while self.ahead or self.links:
            if not self.ahead:
                link = heapq.heappop(self.links)
                if self._leads_out(link):
                    self.ahead.append((link, False))
                else:
                    self.tree.leave_out(_AGAIN, link)
                continue
            self._read_folder(*self.ahead.pop())
        self.others.sort()
        files = [self.folder.joinpath(*place) for place in self.others]
        found = attempt_all(is_picture, files, "looking at files")
        for place, picture in zip(self.others, found, strict=True):
            if picture is True:
                self.tree.pictures.append(place)
            else:
                self.tree.leave_out(_FOREIGN, place)
        self.tree.pictures.sort()
        return self.tree

    def _leads_out(self, link: Place) -> bool:
        """Whether a link leads to no folder that the walk began in."""
        target = os.path.realpath(self.folder.joinpath(*link))
        return not Path(os.path.realpath(self.folder)).is_relative_to(target)

    def _read_folder(self, place: Place, hidden: bool) -> None:
        path = self.folder.joinpath(*place)
        try:
            status = path.stat()
            if (status.st_dev, status.st_ino) in self.seen:
                self.tree.leave_out(_AGAIN, place)
                return
            self.seen.add((status.st_dev, status.st_ino))
            entries = list(os.scandir(path))
        except OSError as error:
            self.tree.leave_out(reason(error), place)
            return
        if place and (kind := kind_of(entry.name for entry in entries)):
            self.tree.leave_out(f"{_WRITTEN} {kind}", place)
            return
        if place and not hidden:
            self.tree.folders.add(place)
        for entry in entries:
            if hidden or entry.name.startswith(".") or entry.name == "__MACOSX":
                self._take_hidden(entry, (*place, entry.name))
            else:
                self._take(entry, (*place, entry.name))

    def _take(self, entry: os.DirEntry[str], place: Place) -> None:
        try:
            mode = entry.stat().st_mode
        except OSError as error:
            nowhere = error.errno in {errno.ENOENT, errno.ELOOP}
            self.tree.leave_out(_NOWHERE if nowhere else reason(error), place)
            return
        if stat.S_ISDIR(mode) and entry.is_symlink():
            heapq.heappush(self.links, place)
        elif stat.S_ISDIR(mode):
            self.ahead.append((place, False))
        elif not stat.S_ISREG(mode):
            self.tree.leave_out(_SPECIAL, place)
        elif entry.name.endswith("-samples.png") and is_overview(Path(entry.path)):
            self.tree.leave_out(OVERVIEW, place)
        elif _ending(entry.name) in ENDINGS:
            self.tree.pictures.append(place)
        else:
            self.others.append(place)

    def _take_hidden(self, entry: os.DirEntry[str], place: Place) -> None:
        if entry.is_dir(follow_symlinks=False):
            self.ahead.append((place, True))
        # ._x.png is what macOS knows of x.png, and no picture.
        elif _ending(entry.name) in ENDINGS and not entry.name.startswith("._"):
            self.tree.leave_out(_HIDDEN, place)


def _ending(name: str) -> str:
    return PurePath(name).suffix.lower()


def left_out_notes(left_out: dict[str, list[Place]]) -> list[str]:
    """One sentence for each reason: how many files, and the first of them."""
    notes = []
    for why, places in sorted(left_out.items()):
        if not places:
            continue
        if why == _FOREIGN:
            endings = Counter(_ending(place[-1]) or "no ending" for place in places)
            kinds = [f"{count:,} {show([ending])}" for ending, count in endings.most_common(5)]
            more = ["others"] if len(endings) > 5 else []
            why = f"{why}: {', '.join(kinds + more)}"
        what = "folder" if why.startswith(_WRITTEN) else "file"
        notes.append(f"Left out {counted(len(places), what)} ({why}): {examples(places)}.")
    return notes


def examples(places: Iterable[Place]) -> str:
    """The first names of several, and how many there are more."""
    names = sorted(places)
    shown = ", ".join(show(name) for name in names[:_EXAMPLES])
    more = len(names) - _EXAMPLES
    return f"{shown} and {more:,} more" if more > 0 else shown


def show(place: Sequence[str]) -> str:
    """A path for people; of a very long one, its ends."""
    text = printable("/".join(place))
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:60]}...{text[-60:]}"


def counted(count: int, what: str = "image") -> str:
    """1 image, 2 images."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
