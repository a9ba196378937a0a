"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zerosum.errors import StorageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to, in `path`'s folder; it takes `path`'s place once the block ends well.

    Whoever reads `path` meanwhile sees the old file or the new one, never half of one. The folder is made if need be.

    Raises:
        StorageError: The disk refused; what stood at `path` still stands.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        os.replace(partial, path)
    except OSError as error:
        raise StorageError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        partial.unlink(missing_ok=True)
