"""Builds wheel and sdist, and tries each in a fresh environment outside the repository.

python -m pages.package

The environment borrows the packages of this one, so that torch is not downloaded; zerosum itself is the built one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
TRIED = """
import sys, zerosum
from pathlib import Path
assert "site-packages" in zerosum.__file__ and sys.prefix in zerosum.__file__, zerosum.__file__
run = zerosum.train("digits", recipe="dcgan", rounds=2, batch=8, width=4, run="run")
assert zerosum.load(run.path).sample(2).shape == (2, 1, 32, 32)
assert Path("run/report.html").exists()
"""


def build() -> list[Path]:
    """Build both and return their paths, the wheel first."""
    left_over = (ROOT / "build", ROOT / "src" / "zerosum.egg-info")  # from which setuptools takes files too
    for old in (DIST, *left_over):
        shutil.rmtree(old, ignore_errors=True)
    tool = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*tool, "--wheel-dir", DIST, ROOT], check=True)
    make = "from setuptools import build_meta as b; import sys; print(b.build_sdist(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", make, DIST], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return [*DIST.glob("*.whl"), *DIST.glob("*.tar.gz")]


def lacking(wheel: Path) -> list[str]:
    """Return which files of the package, code or not, are not in a wheel."""
    held = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT / "src", check=True, capture_output=True, text=True).stdout
    return [name for name in listed.splitlines() if name not in held]


def attempt(archive: Path) -> None:
    """Install an archive into a fresh environment, and train, load, sample and ask for help there."""
    with tempfile.TemporaryDirectory(prefix="zerosum-package-") as folder:
        place = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", place / "venv"], check=True)
        python = place / "venv" / "bin" / "python"
        site = next((place / "venv").glob("lib/python*/site-packages"))
        (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
        install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--ignore-installed", archive]
        subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment |= {"ZEROSUM_CACHE": str(place / "cache"), "OMP_NUM_THREADS": "1"}
        for words in ([python, "-c", TRIED], [python.with_name("zerosum"), "--version"]):
            subprocess.run(words, cwd=place, env=environment, check=True)


if __name__ == "__main__":
    for built in build():
        if built.suffix == ".whl" and (absent := lacking(built)):
            raise SystemExit(f"{built.name} lacks {', '.join(absent)}.")
        attempt(built)
        print(f"{built.name}: installed, trained, sampled")
