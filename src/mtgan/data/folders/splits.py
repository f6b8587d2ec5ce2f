"""Which folders are splits, which are classes, and which only wrap others.

One rule: folders are splits where their names are words for two different splits, or one of them
alone is `train`, and no other folder with pictures stands beside them. Beside others, where a
`train` may well be a class, they are splits only if what lies in them shows it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import NamedTuple

from mtgan.data.folders.tree import Place, counted, examples, show

# What a part is used for, and what it is called.
_WORDS = {
    "train": ("train", "training", "trn"),
    "test": ("test", "testing", "tst"),
    "eval": ("eval", "evaluation", "hold-out", "held-out"),
    "val": ("val", "valid", "validation", "validate", "dev", "development"),
}
_USE = {word.replace("-", ""): use for use, words in _WORDS.items() for word in words}
_NAME = re.compile(
    r"(?:(?P<before>.+)[-_ .])?"
    rf"(?P<word>{'|'.join(w.replace('-', '[-_ ]?') for ws in _WORDS.values() for w in ws)})"
    r"(?:[-_ .]?(?:set|split|data|images?|imgs?|pictures|samples|files|folder))*"
    r"(?:[-_ .]?\d+)?"
    r"(?P<after>(?-i:[A-Z])|[-_ .][^-_ .]+)?",
    re.IGNORECASE,
)
# The first of these that there is serves as test. The others are used for nothing.
AS_TEST = ("test", "eval", "val")


@dataclass
class Layout:
    """Pictures that are read, with what their folders say.

    kept: their positions among all pictures; places: the folders of their classes, the coarsest
    first, None where their split has no such folders; splits: "train" or "test" of each, "" where
    there are none; notes: on what is not read, and why; doubts: on what would be read as classes
    and may be none.
    """

    kept: list[int]
    places: list[Place | None]
    splits: list[str]
    notes: list[str]
    doubts: list[str]


class Word(NamedTuple):
    """What a folder's name says of a split: train, test, eval or val, and the rest of the name."""

    use: str
    rest: str = ""


def split_word(name: str) -> Word | None:
    """The word for a split in a name; None where there is none."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    use = _USE[re.sub("[-_ ]", "", found["word"].lower())]
    parts = [part.strip("-_ .") for part in (found["before"] or "", found["after"] or "")]
    return Word(use, "_".join(part for part in parts if part and not part.isdigit()))


def read_layout(pictures: list[Place], folders: Iterable[Place]) -> Layout:
    """What the folders of pictures (paths, the file's name last) mean.

    folders: all that there are, with or without pictures.
    """
    reading = _Reading(pictures, set(folders))
    while reading.take_splits() or reading.unwrap():
        pass
    reading.take_inner_splits()
    places = reading.places()
    return Layout(reading.kept, places, reading.uses, reading.notes, reading.doubts(places))


class _Reading:
    """Takes folders off the paths of pictures, from the outside, as long as they are no classes."""

    def __init__(self, pictures: list[Place], folders: set[Place]) -> None:
        self.pictures = pictures
        self.folders = folders
        self.kept = list(range(len(pictures)))
        self.rest: list[Place] = [picture[:-1] for picture in pictures]
        self.uses = [""] * len(pictures)
        self.outer: Place = ()  # the folders that wrap all others
        self.notes: list[str] = []

    # Splits

    def take_splits(self) -> bool:
        """Take the outermost folders off if they are splits."""
        names = {place[0] for place in self.rest if place}
        if any(self.uses):  # of train/train/class the inner ones say the same once more
            words = _words(names)
            again = len({word.use for word in words.values()}) > 1 and all(
                place and place[0] in words and (use == "train") == (words[place[0]].use == "train")
                for place, use in zip(self.rest, self.uses, strict=True)
            )
            if again:
                self.rest = [place[1:] for place in self.rest]
            return again
        empty = {folder[-1] for folder in self.folders if folder[:-1] == self.outer}
        words = _words(names | empty)
        others = names - set(words)
        if not self._are_splits(words, others):
            return False
        shown = " and ".join(sorted(show([word]) for word in words))
        self._drop(
            [bool(place) and place[0] in others for place in self.rest],
            f"Folders beside {shown} are not read",
        )
        self._drop([not place for place in self.rest], f"Images beside {shown} are not read")
        self._assign(0, words)
        return True

    def _are_splits(self, words: dict[str, Word], others: set[str]) -> bool:
        uses = {word.use for word in words.values()}
        if not others:
            return len(uses) > 1 or (len(words) == 1 and uses == {"train"})
        inside: dict[bool | None, set[str]] = {True: set(), False: set(), None: set()}
        for place in self.rest:
            if len(place) > 1:
                word = words.get(place[0])
                inside[None if word is None else word.use == "train"].add(place[1])
        # The same classes in both, or classes in train and none in what stands beside it.
        return bool(inside[True] & inside[False]) or bool(inside[True] and not inside[None])

    def take_inner_splits(self) -> None:
        """Take off splits that lie inside the classes: class/train/x.png."""
        if any(self.uses) or not self.rest:
            return
        for column in range(1, min(map(len, self.rest))):
            names = {place[column] for place in self.rest}
            words = _words(names)
            if len(words) == len(names) and {"train"} < {word.use for word in words.values()}:
                self._assign(column, words)
                return

    def _assign(self, column: int, words: dict[str, Word]) -> None:
        """Take the folders of a column, which are splits, off; those not used are left out."""
        counts = Counter(place[column] for place in self.rest)
        present = {words[name].use for name in counts}
        as_test = next((use for use in AS_TEST if use in present), "test")
        serving = [(name,) for name in counts if words[name].use == as_test]
        if as_test != "test":
            count = counted(sum(counts[name] for (name,) in serving))
            self.notes.append(f"What serves as test: {examples(serving)} ({count}).")
        self._drop(
            [words[place[column]].use not in {"train", as_test} for place in self.rest],
            f"As {examples(serving)} serves as test, splits beside it and train are not read (name "
            "the folder of one as a data set to use it)",
        )
        self.uses = ["train" if words[p[column]].use == "train" else "test" for p in self.rest]
        # Of trainA, trainB, testA and testB, the letters are classes.
        classes = {name: (word.rest,) if word.rest else () for name, word in words.items()}
        self.rest = [(*p[:column], *classes[p[column]], *p[column + 1 :]) for p in self.rest]

    # Folders that wrap others

    def unwrap(self) -> bool:
        """Take the outermost folder off if it is the only one, and holds no class by itself."""
        names = {place[0] for place in self.rest if place}
        if len(names) != 1:
            return False
        (name,) = names
        nested = all(len(place) > 1 for place in self.rest if place)
        beside = not all(self.rest)
        word = name in _words([name])
        if not nested and (beside or not word):
            return False
        self._drop(
            [not place for place in self.rest],
            f"Images beside the folder {show([name])} are not read",
        )
        if not any(self.uses):
            self.outer = (*self.outer, name)
            if word:
                self.notes.append(f"The folder {show([name])} is all there is, and the whole set.")
        self.rest = [place[1:] for place in self.rest]
        return True

    def places(self) -> list[Place | None]:
        """The folders of classes; None for the pictures of a split that all lie in one folder,
        less deep than those of the other, as of a test set whose labels are secret."""
        found: list[Place | None] = [*self.rest]
        depth = max(map(len, self.rest), default=0)
        for use in sorted(set(self.uses) - {""}):
            mine = [i for i, own in enumerate(self.uses) if own == use]
            if len({self.rest[i] for i in mine}) > 1 or len(self.rest[mine[0]]) == depth:
                continue
            for i in mine:
                found[i] = None
            names = examples(self.pictures[self.kept[i]] for i in mine)
            self.notes.append(
                f"The images of {use} lie in no folders of classes: their labels are missing "
                f"({names})."
            )
        return _telling_apart(found)

    # What is said

    def _drop(self, drop: list[bool], why: str) -> None:
        """Leave out some of the pictures, and say so."""
        if not any(drop):
            return
        dropped = [self.pictures[i] for i in compress(self.kept, drop)]
        self.notes.append(f"{why}: {counted(len(dropped))} ({examples(dropped)}).")
        keep = [not dropping for dropping in drop]
        self.kept = list(compress(self.kept, keep))
        self.rest = list(compress(self.rest, keep))
        self.uses = list(compress(self.uses, keep))

    def doubts(self, places: list[Place | None]) -> list[str]:
        """What is odd about the folders that are read as classes."""
        found = []
        names = {part for place in places for part in place or ()}
        words = [(name,) for name in _words(names)]
        if words:
            found.append(
                f"Folders called {examples(words)} are read as classes, and not as splits; if they "
                "are splits, let no other folder of images stand beside them."
            )
        parents: dict[Place, set[Place]] = {}
        for place in sorted({place for place in places if place}):
            for depth in range(1, len(place)):
                parents.setdefault((place[depth],), set()).add(place[:depth])
        repeated = {name: places for name, places in parents.items() if len(places) > 1}
        if repeated:
            found.append(
                f"Folders of one name ({examples(repeated)}) lie in several others (as "
                f"{examples(next(iter(repeated.values())))}), and are a class of its own in each."
            )
        return found


def _telling_apart(places: list[Place | None]) -> list[Place | None]:
    """Without inner folders of one name, as of class/images/x.png, which tell nothing apart."""
    known = {place for place in places if place is not None}
    if len({len(place) for place in known}) != 1:
        return places
    told = [c for c, names in enumerate(zip(*known, strict=True)) if len(set(names)) > 1]
    if not told:
        return places
    return [place and tuple(place[column] for column in told) for place in places]


def _words(names: Iterable[str]) -> dict[str, Word]:
    """The names that are words for splits. With something else in them (seg_train and seg_test),
    they are so only where two splits have the same; it counts where there are several of it."""
    groups: dict[str, dict[str, Word]] = {"": {}}
    for name in names:
        if word := split_word(name):
            groups.setdefault(word.rest, {})[name] = word
    several = [group for group in groups.values() if len({word.use for word in group.values()}) > 1]
    if len(several) > 1:
        return {name: word for group in several for name, word in group.items()}
    return {name: Word(word.use) for name, word in (several or [groups[""]])[0].items()}
