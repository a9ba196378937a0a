"""The table of signs in docs/doctor.md, made of the registry.

python -m bench.signs          writes it anew
"""

from __future__ import annotations

import re

from bench.results import ROOT, table
from zerosum.doctor import signs

PAGE = ROOT / "docs" / "doctor.md"
BEGIN, END = "<!-- signs: made by python -m bench.signs -->", "<!-- end of signs -->"


def signs_table() -> str:
    """Return a Markdown table of all signs: name, what each finds, and where it comes from."""
    found = [signs.find(name) for name in signs.names()]
    rows = [[f"`{sign.name}`", sign.title, linked(sign.source)] for sign in found]
    return table([["sign", "what it finds", "source"], *rows])


def linked(text: str) -> str:
    """Make addresses in a text links.

    >>> linked("Odena 2016 (https://distill.pub/x); ours")
    'Odena 2016 (<https://distill.pub/x>); ours'
    """
    return re.sub(r"https?://[^\s),;]+", r"<\g<0>>", text)


def page() -> str:
    """Return docs/doctor.md with the table as the registry makes it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{signs_table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
