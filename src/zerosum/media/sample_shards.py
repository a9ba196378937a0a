"""Samples in one file for other programs: a tar as webdataset reads it, or Parquet, with the seed in each row."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

SHARDS = (".tar", ".parquet")
"""Endings of such files."""


def write_shard(pictures: Sequence[Path], out: Path, metadata: Mapping[str, str]) -> Path:
    """Write picture files into a shard, beside what is known of each.

    Args:
        pictures: PNG files, in the order of the samples.
        out: ends in .tar (000000.png and 000000.json for each sample) or .parquet (columns image, as data sets of the
            Hub have it, and seed, index and label).
        metadata: seed and, where one was chosen, label, of all of them.

    Raises:
        InputError: pyarrow is missing.
        StorageError: the disk refuses.
    """
    known = {"seed": int(metadata.get("seed", 0))} | ({"label": metadata["label"]} if "label" in metadata else {})
    if out.suffix.lower() == ".parquet":
        return _write_parquet(pictures, out, known)
    with replacing(out) as partial, tarfile.open(partial, "w") as archive:
        for index, picture in enumerate(pictures):
            about = json.dumps(known | {"index": index}).encode()
            for ending, content in ((".png", picture.read_bytes()), (".json", about)):
                member = tarfile.TarInfo(f"{index:06d}{ending}")
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return out


def _write_parquet(pictures: Sequence[Path], out: Path, known: Mapping[str, object]) -> Path:
    try:
        import pyarrow  # pyright: ignore[reportMissingImports]  # an extra
        import pyarrow.parquet as parquet  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError:
        raise InputError(f"{out} needs the extra data: pip install 'zerosum[data]'; a .tar needs nothing.") from None
    images = [{"bytes": picture.read_bytes(), "path": f"{index:06d}.png"} for index, picture in enumerate(pictures)]
    columns = {"image": images, "index": list(range(len(images)))}
    table = pyarrow.table(columns | {name: [value] * len(images) for name, value in known.items()})
    with replacing(out) as partial:
        parquet.write_table(table, partial, row_group_size=100)
    return out
