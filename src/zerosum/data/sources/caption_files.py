"""Captions of image files: from a table (.csv, .tsv), or from a .txt beside each image."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from zerosum.data.options import DataConfig, split_captions
from zerosum.data.sources.image_files import ImageFiles
from zerosum.data.sources.label_table import DELIMITERS, FILE_COLUMNS
from zerosum.errors import InputError
from zerosum.runtime.paths import absolute
from zerosum.runtime.regular_files import open_regular
from zerosum.text import composed, counted, listed

TABLES = ("captions.csv", "captions.tsv", "captions.txt", "metadata.csv")
"""Tables that are looked for in the data."""
COLUMNS = ("caption", "captions", "text", "description", "sentence", "prompt")
"""What a column of captions may be called."""
ABOUT = ("readme", "license", "licence", "credits", "attribution", "source", "notice", "copying")
"""What a .txt about the data is called."""

EXPECTED = "a table captions.csv with the columns file and caption, or a .txt of its name beside each image"


@dataclass(frozen=True, kw_only=True)
class CaptionTable:
    """Captions by the names of files."""

    of: dict[str, tuple[str, ...]]
    place: str
    """What they were read from, for notes and errors."""
    notes: tuple[str, ...] = ()


def captions_of(files: ImageFiles, options: DataConfig) -> CaptionTable:
    """Find the captions of every image file.

    Args:
        files: of one split.
        options: what was asked for; their `captions` name a table.

    Raises:
        InputError: there are no captions, an image lacks one, one is empty, or one is of no image.
    """
    asked, column = (None, None) if options.captions is None else split_captions(options.captions)
    name = None if asked is not None else _table_in(files)
    if asked is not None or name is not None:
        content = _asked(files, str(asked)) if asked is not None else _read(files, str(name))
        return _joined(files, read_captions(content, str(asked or name), column), str(asked or name))
    return _beside(files)


def read_captions(content: bytes, place: str, column: str | None = None) -> list[tuple[int, str, str]]:
    """Read the columns of files and captions of a table: (line, file, caption) of each row.

    Args:
        content: of the file.
        place: what to call it.
        column: name of the column of captions; by default the first that is called as one may be.

    Raises:
        InputError: it is no table of these columns, or a caption is empty.
    """
    try:
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
        first = text.lstrip("\r\n").partition("\n")[0]
        delimiter = max(DELIMITERS, key=lambda mark: len(next(csv.reader([first], delimiter=mark), [])))
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeError, csv.Error) as error:
        raise InputError(f"{place} is no CSV file in UTF-8 ({error}): save it as CSV UTF-8.") from error
    columns = [cell.strip() for cell in rows[0][1]] if rows else []
    plain = [name.casefold() for name in columns]
    file_at = next((plain.index(name) for name in FILE_COLUMNS if name in plain), None)
    wanted = COLUMNS if column is None else (column.casefold(),)
    caption_at = next((plain.index(name) for name in wanted if name in plain), None)
    if file_at is None or caption_at is None:
        missing = " and ".join(["file"] * (file_at is None) + [column or "caption"] * (caption_at is None))
        raise InputError(
            f"{place} has no column {missing}, but the columns {', '.join(columns) or '(none)'}: name the columns file "
            f"and caption in its first line, or give --captions {place}:COLUMN."
        )
    found = []
    for number, row in rows[1:]:
        if not any(cell.strip() for cell in row):
            continue
        file, caption = (row[at].strip() if at < len(row) else "" for at in (file_at, caption_at))
        if not file or not caption:
            raise InputError(
                f"Line {number} of {place} has no {'caption' if file else 'file'}: complete it or remove it."
            )
        found.append((number, composed(file.replace("\\", "/").removeprefix("./")), " ".join(caption.split())))
    return found


def _table_in(files: ImageFiles) -> str | None:
    """Return the name of the table that lies with the images, the nearest to them first."""
    around = PurePosixPath(files.prefix.rstrip("/"))
    places = [f"{place}/" if str(place) != "." else "" for place in (around, *around.parents)]
    return next((place + name for place in places for name in TABLES if place + name in files.stamps), None)


def _joined(files: ImageFiles, rows: Iterable[tuple[int, str, str]], place: str) -> CaptionTable:
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
    unknown, again = [], 0
    for _, file, caption in rows:
        within = composed(f"{folder}/{file}")
        name = known.get(file) or known.get(within)
        if name is None:
            if file not in elsewhere and within not in elsewhere and not _by_name(file, elsewhere):
                unknown.append(file)
            continue
        said = of.setdefault(name, [])
        again += caption in said
        said += [caption] * (caption not in said)
    if unknown:
        raise InputError(
            f"{place} has captions of {counted(len(set(unknown)), 'file')} not in {files.root} (such as {unknown[0]}): "
            "add the images, or remove these lines."
        )
    return CaptionTable(
        of=_complete(files, of, place),
        place=place,
        notes=(f"Left out of {place}: {counted(again, 'row')} that repeat another.",) if again else (),
    )


def _by_name(file: str, elsewhere: set[str]) -> bool:
    """Whether a plain name is that of a file in some folder, as one of another split is."""
    return "/" not in file and any(name.endswith(f"/{file}") for name in elsewhere)


def _beside(files: ImageFiles) -> CaptionTable:
    """Read the .txt of its name beside each image, a caption a line."""
    texts = {name for name in files.others if name.lower().endswith(".txt")}
    by_stem = {str(PurePosixPath(name).with_suffix("")): name for name in sorted(texts)}
    of: dict[str, list[str]] = {}
    for name in files.names:
        text = by_stem.get(str(PurePosixPath(name).with_suffix("")))
        if text is not None:
            lines = _decoded(files, text).splitlines()
            of[name] = list(dict.fromkeys(" ".join(line.split()) for line in lines if line.strip()))
            if not of[name]:
                raise InputError(f"{text} in {files.root} is empty: write the caption of {name} into it.")
    if not of:
        raise InputError(f"{files.root} has no captions: expected {EXPECTED}, or a table anywhere by --captions FILE.")
    stems = {str(PurePosixPath(name).with_suffix("")) for name in files.stamps if name not in texts}
    lonely = sorted(
        name
        for stem, name in by_stem.items()
        if stem not in stems and not PurePosixPath(name).name.lower().startswith(ABOUT)
    )
    if lonely:
        raise InputError(
            f"{files.root} has {counted(len(lonely), 'caption')} without an image of the same name "
            f"({listed(lonely)}): add the images, or remove these files."
        )
    return CaptionTable(of=_complete(files, of, "the .txt files"), place="the .txt beside each image")


def _complete(files: ImageFiles, of: Mapping[str, list[str]], place: str) -> dict[str, tuple[str, ...]]:
    """See that every image has a caption."""
    lonely = [name for name in files.names if name not in of]
    if lonely:
        raise InputError(
            f"{counted(len(lonely), 'image')} of {len(files.names):,} in {files.root} lack a caption in {place} "
            f"({listed(lonely)}): write them, or take these images out."
        )
    return {name: tuple(of[name]) for name in files.names}


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
