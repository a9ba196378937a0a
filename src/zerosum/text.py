"""Numbers, durations, memory, lists and foreign text as text for the terminal, errors and reports."""

from __future__ import annotations

import math
import re
import shlex
import unicodedata
from collections.abc import Sequence

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Controls of a terminal but for tab and newline, separators of lines, changes of direction, bytes that are no text."""


def printable(text: str) -> str:
    r"""Escape what would control a terminal. Applied to all that is printed, because names of files may hold anything.

    >>> printable("a\x1b[31m.png")
    'a\\x1b[31m.png'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    r"""Escape as `printable` does, and ends of lines too, so that a name cannot make a line of its own.

    >>> one_line("a\nDone.png")
    'a\\nDone.png'
    """
    return printable(text).replace("\n", "\\n")


def composed(text: str) -> str:
    """A name in Unicode's composed form (NFC), in which names are compared: a Mac writes them decomposed.

    >>> composed("cafe\u0301") == "caf\u00e9"
    True
    """
    return unicodedata.normalize("NFC", text)


def shown(text: str) -> str:
    r"""Return text that can be written anywhere: bytes that are no UTF-8 are escaped, half characters replaced.

    >>> shown("caf\udce9"), shown("\ud800")
    ('caf\\xe9', '\ufffd')
    """
    whole = re.sub("[\ud800-\udc7f\udd00-\udfff]", "\N{REPLACEMENT CHARACTER}", text)
    return whole.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def separator_of(line: str) -> str | None:
    r"""Return the delimiter that the first line of a table names, as Excel reads it; None where it names none.

    >>> separator_of("sep=;\r\n"), separator_of("SEP=\t"), separator_of("sep,label")
    (';', '\t', None)
    """
    found = re.fullmatch(r'"?sep=([^\w\s"]|\t)"?', line.strip("\r\n "), re.IGNORECASE)
    return found[1] if found else None


def is_whole(text: str) -> bool:
    """Whether a text is a whole number in the digits 0 to 9 that fits 64 bits; `str.isdigit` takes what `int` does not.

    >>> [is_whole(text) for text in ("12", "²", "٣", "-1", "", "9" * 5_000)]
    [True, False, False, False, False, False]
    """
    return text.isascii() and text.isdecimal() and len(text) < 19


def names_in(text: str) -> list[str]:
    """Return the names in a list with commas between; one with a comma of its own stands in double quotes, as in CSV.

    >>> names_in('smiling, "big, red"'), names_in('"say ""a"" twice", 6" wide'), names_in("")
    (['smiling', 'big, red'], ['say "a" twice', '6" wide'], [''])
    """
    found = re.findall(r'\s*"((?:[^"]|"")*)"\s*,|([^,]*),', f"{text},")
    return [quoted.replace('""', '"') or plain.strip() for quoted, plain in found]


def as_listed(name: str) -> str:
    """Return a name as `names_in` reads it among others.

    >>> as_listed("small"), as_listed("big, red"), as_listed('say "a" twice')
    ('small', '"big, red"', '"say ""a"" twice"')
    """
    plain = name and name == name.strip() and not {",", '"'} & {*name}
    return name if plain else '"{}"'.format(name.replace('"', '""'))


def counted(number: int, noun: str) -> str:
    """Format a number and its noun.

    >>> counted(1, "image"), counted(1200, "image"), counted(10, "class")
    ('1 image', '1,200 images', '10 classes')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}{'es' if noun.endswith('s') else 's'}"


def listed(items: Sequence[str], *, most: int = 3, separator: str = ", ") -> str:
    """List the first few of several things, each kept on the line, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = separator.join(map(one_line, items[:most]))
    return f"{shown} and {len(items) - most:,} more" if len(items) > most else shown


def command(*words: object) -> str:
    """What to type into a shell, paths quoted where they need it.

    >>> command("zerosum", "sample", "my runs/faces", "-n", 16)
    "zerosum sample 'my runs/faces' -n 16"
    """
    return shlex.join(map(str, words))


def duration(seconds: float) -> str:
    """Format a length of time with at most two units.

    >>> [duration(seconds) for seconds in (0.4, 45, 720, 12_000, 190_800)]
    ['under 1 s', '45 s', '12 min', '3 h 20 min', '2 d 5 h']
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 1:
        return "under 1 s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def number(value: float) -> str:
    """Format a measured value with about three significant digits.

    >>> [number(value) for value in (0.0, 0.7133, -1.208, 24.06, 251.4, 12_345.6, 0.00123)]
    ['0', '0.713', '-1.21', '24.1', '251', '12,346', '0.00123']
    """
    if not math.isfinite(value):
        return "not finite"
    size = abs(value)
    if size >= 100:
        return f"{value:,.0f}" if size < 1e9 else f"{value:.3g}"
    return f"{value:.3g}"


def compact(value: float) -> str:
    """Format a tick of an axis in as few characters as it takes.

    >>> [compact(value) for value in (0, 0.25, 500, 1500, 20_000, 2_500_000)]
    ['0', '0.25', '500', '1.5k', '20k', '2.5M']
    """
    for unit, symbol in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.4g}{symbol}"
    return f"{value:.4g}"


def memory(size: float) -> str:
    """Format an amount of memory, given in bytes.

    >>> memory(734_003_200), memory(2_576_980_378)
    ('734 MB', '2.6 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
