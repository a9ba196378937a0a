"""Captions of image files: from a table (.csv, .tsv, .jsonl), or from a .txt beside each image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zerosum.data.options import DataConfig, split_captions
from zerosum.data.sources.caption_table import holds_captions, read_captions
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.tables import METADATA
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular
from zerosum.text import composed, counted, listed

TABLES = ("captions.csv", "captions.tsv", "captions.txt", *METADATA)
"""Tables that are looked for in the data; of metadata such as have a column of captions."""
ABOUT = ("readme", "license", "licence", "credits", "attribution", "source", "notice", "copying")
"""What a .txt about the data is called."""

EXPECTED = (
    "a table captions.csv with the columns file and caption, a metadata.jsonl with file_name and text, or a .txt of "
    "its name beside each image"
)


@dataclass(frozen=True, kw_only=True)
class CaptionTable:
    """Captions by the names of files."""

    of: dict[str, tuple[str, ...]]
    place: str
    """What they were read from, for notes and errors."""
    notes: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    """What keeps images from being trained on, a sentence each: a caption or an image that is missing."""


def captions_of(files: ImageFiles, options: DataConfig) -> CaptionTable:
    """Find the captions of every image file.

    Args:
        files: of one split.
        options: what was asked for; their `captions` name a table.

    Raises:
        InputError: there are no captions, an image lacks one, one is empty, or one is of no image.
    """
    found = survey_captions(files, options)
    if found.errors:
        raise InputError(found.errors[0])
    return found


def has_captions(files: ImageFiles, options: DataConfig) -> bool:
    """Whether image files have captions beside them, or a table is asked for, whatever may be wrong with them."""
    if options.captions is not None or files.captions is not None:
        return True
    if (name := _table_in(files)) is not None:
        try:
            return bool(read_captions(_read(files, name), name)[0])
        except InputError:
            return False
    stems = {_stem(name) for name in files.others if name.lower().endswith(".txt")}
    return any(_stem(name) in stems for name in files.names)


def survey_captions(files: ImageFiles, options: DataConfig) -> CaptionTable:
    """Find captions as `captions_of` does, and return beside them what is wrong.

    Raises:
        InputError: there are no captions at all.
    """
    if options.captions is None and files.captions is not None:
        every = files.captions.read()
        of = {name: list(every[name]) for name in files.names if every.get(name)}
        place = files.captions.place
        return CaptionTable(
            of={name: tuple(said) for name, said in of.items()}, place=place, errors=_lacking(files, of, place)
        )
    asked, column = (None, None) if options.captions is None else split_captions(options.captions)
    name = None if asked is not None else _table_in(files)
    if asked is not None or name is not None:
        content = _asked(files, str(asked)) if asked is not None else _read(files, str(name))
        rows, blank = read_captions(content, str(asked or name), column)
        return _joined(files, rows, str(asked or name), blank)
    return _beside(files)


def _table_in(files: ImageFiles) -> str | None:
    """Return the name of the table that lies with the images, the nearest to them first."""
    around = PurePosixPath(files.prefix.rstrip("/"))
    places = [f"{place}/" if str(place) != "." else "" for place in (around, *around.parents)]
    there = (place + name for place in places for name in TABLES if place + name in files.stamps)
    return next((name for name in there if _may_hold_captions(files, name)), None)


def _may_hold_captions(files: ImageFiles, name: str) -> bool:
    return name.rpartition("/")[2] not in METADATA or holds_captions(_read(files, name), name)


def _joined(
    files: ImageFiles, rows: Iterable[tuple[int, str, str]], place: str, blank: tuple[str, ...]
) -> CaptionTable:
    """Give the rows of a table to the files that they name, by their paths inside the data, or by unique names."""
    inner = {name: files.inner(name) for name in files.names}
    plain = Counter(PurePosixPath(name).name for name in files.names)
    known: dict[str, str] = {}
    for name, short in inner.items():
        base = PurePosixPath(name).name
        for key in (base, short, name):
            if key != base or plain[base] == 1 or key in (short, name):
                known[composed(key)] = name
    folder = PurePosixPath(place).parent.as_posix()
    of: dict[str, list[str]] = {}
    elsewhere = {composed(name) for name in files.stamps}
    plain_elsewhere = {name.rpartition("/")[2] for name in elsewhere}
    unknown, again = [], 0
    for _, file, caption in rows:
        within = composed(f"{folder}/{file}")
        name = known.get(file) or known.get(within)
        if name is None:
            # A plain name may be that of a file in some folder, as one of another split is.
            if file not in elsewhere and within not in elsewhere and file not in plain_elsewhere:
                unknown.append(file)
            continue
        said = of.setdefault(name, [])
        again += caption in said
        said += [caption] * (caption not in said)
    lost = [
        f"{place} has captions of {counted(len(set(unknown)), 'file')} not in {files.root} (such as {name}): add the "
        "images, or remove these lines."
        for name in unknown[:1]
    ]
    return CaptionTable(
        of={name: tuple(said) for name, said in of.items()},
        place=place,
        notes=(f"Left out of {place}: {counted(again, 'row')} that repeat another.",) if again else (),
        errors=(*blank, *lost, *_lacking(files, of, place)),
    )


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _beside(files: ImageFiles) -> CaptionTable:
    """Read the .txt of its name beside each image, a caption a line."""
    texts = {name for name in files.others if name.lower().endswith(".txt")}
    by_stem = {_stem(name): name for name in sorted(texts)}
    of: dict[str, list[str]] = {}
    errors = []
    for name in files.names:
        text = by_stem.get(_stem(name))
        if text is not None:
            lines = _decoded(files, text).splitlines()
            of[name] = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
            if not of[name]:
                errors.append(f"{text} in {files.root} is empty: write the caption of {name} into it.")
    if not of:
        raise InputError(f"{files.root} has no captions: expected {EXPECTED}, or a table anywhere by --captions FILE.")
    stems = {_stem(name) for name in files.stamps if name not in texts}
    lonely = sorted(
        name
        for stem, name in by_stem.items()
        if stem not in stems and not PurePosixPath(name).name.lower().startswith(ABOUT)
    )
    if lonely:
        errors.append(
            f"{files.root} has {counted(len(lonely), 'caption')} without an image of the same name "
            f"({listed(lonely)}): add the images, or remove these files."
        )
    return CaptionTable(
        of={name: tuple(said) for name, said in of.items() if said},
        place="the .txt beside each image",
        errors=(*errors, *_lacking(files, of, "the .txt files")),
    )


def _lacking(files: ImageFiles, of: Mapping[str, list[str]], place: str) -> tuple[str, ...]:
    """Return a sentence on the images without a caption, where there are some."""
    lonely = [name for name in files.names if name not in of]
    if not lonely:
        return ()
    verb = "lacks" if len(lonely) == 1 else "lack"
    return (
        f"{counted(len(lonely), 'image')} of {len(files.names):,} in {files.root} {verb} a caption in {place} "
        f"({listed(lonely)}): write them, or take these images out.",
    )


def _asked(files: ImageFiles, table: str) -> bytes:
    """Read a table that was named, which lies at that path or inside the data."""
    path = absolute(table)
    name = next((name for name in (files.prefix + table, table) if name in files.stamps), None)
    if not path.is_file() and name is not None:
        return _read(files, name)
    return _bytes(path, f"--captions {table}")


def _bytes(path: Path, given: str) -> bytes:
    try:
        with open_regular(path) as file:
            return file.read()
    except OSError as error:
        why = error.strerror or "it is no regular file"
        raise InputError(
            f"{given} cannot be read ({why}): give the path of a table, here or inside the data."
        ) from error


def _decoded(files: ImageFiles, name: str) -> str:
    try:
        return _read(files, name).decode("utf-8-sig")
    except UnicodeError as error:
        raise InputError(f"{name} in {files.root} is no text in UTF-8 ({error}): save it as UTF-8.") from error


def _read(files: ImageFiles, name: str) -> bytes:
    try:
        with files.open(name) as file:
            return file.read()
    except Exception as error:  # a damaged archive raises almost anything
        raise InputError(f"{name} in {files.root} cannot be read ({error}).") from error
