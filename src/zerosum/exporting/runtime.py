"""onnxruntime-web: two files of its npm package, fetched at export and kept in the cache.

Source: https://www.npmjs.com/package/onnxruntime-web, MIT licence. None of it is part of zerosum.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from dataclasses import dataclass
from pathlib import Path

from zerosum.data.sources.download import fetch
from zerosum.errors import InputError
from zerosum.runtime.atomic_files import replacing

VERSION = "1.30.0"
URL = f"https://registry.npmjs.org/onnxruntime-web/-/onnxruntime-web-{VERSION}.tgz"
SHA512 = (
    "ab4cbe26baedba45d2cec05610c71c55fa97db92d19a8b171c5f8269126683ca"
    "590a5cdc57bb2f35ce2b298de32f4d956fb42644c0ecd528a0a91e025c07ca61"
)
FILES = {
    "script": ("ort.wasm.bundle.min.mjs", "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90"),
    "binary": ("ort-wasm-simd-threaded.wasm", "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2"),
}
"""Name in the package's dist/, and SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """What a page needs to run ONNX models."""

    script: bytes
    """An ECMAScript module."""

    binary: bytes
    """WebAssembly."""


def runtime(given: str | Path | None = None, *, cache: Path) -> Runtime:
    """Find the two files: at a path that is given, in the cache, or by a download.

    Args:
        given: the npm package as an archive (.tgz), or a folder that holds the two files.
        cache: folder of zerosum's cache.

    Raises:
        InputError: they are nowhere, or other files than the published ones.
        StorageError: the cache cannot be written to.
    """
    if given is not None:
        return _from_folder(Path(given)) if Path(given).is_dir() else _from_archive(Path(given))
    folder = cache / "downloads" / f"onnxruntime-web-{VERSION}"
    if all((folder / name).is_file() for name, _ in FILES.values()):
        return _from_folder(folder)
    archive = folder / "package.tgz"
    advice = f"fetch {URL} elsewhere and give its path: --runtime PATH."
    fetch([URL], archive, check=_published, advice=advice)
    found = _from_archive(archive)
    for content, (name, _) in zip((found.script, found.binary), FILES.values(), strict=True):
        with replacing(folder / name) as partial:
            partial.write_bytes(content)
    os.unlink(archive)
    return found


def _published(path: Path) -> None:
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha512").hexdigest() != SHA512:
            raise InputError("what came has another SHA-512 than the published package")


def _from_folder(folder: Path) -> Runtime:
    found = {}
    for role, (name, _) in FILES.items():
        path = next((p for p in (folder / name, folder / "dist" / name) if p.is_file()), None)
        if path is None:
            raise InputError(f"{folder} has no {name}: give --runtime the package onnxruntime-web {VERSION}.")
        found[role] = path.read_bytes()
    return _checked(found, folder)


def _from_archive(path: Path) -> Runtime:
    try:
        with tarfile.open(path) as archive:
            found = {}
            for role, (name, _) in FILES.items():
                member = archive.extractfile(f"package/dist/{name}")
                found[role] = member.read() if member is not None else b""
    except (OSError, tarfile.TarError, KeyError) as error:
        raise InputError(
            f"{path} is not the package onnxruntime-web {VERSION} ({error}): give --runtime the .tgz of {URL}."
        ) from None
    return _checked(found, path)


def _checked(found: dict[str, bytes], place: Path) -> Runtime:
    for role, (name, sha256) in FILES.items():
        if hashlib.sha256(found[role]).hexdigest() != sha256:
            raise InputError(
                f"{name} in {place} is not that of onnxruntime-web {VERSION}: give --runtime that version."
            )
    return Runtime(**found)
