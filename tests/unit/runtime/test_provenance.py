"""The commit that a run records."""

from __future__ import annotations

import json
import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from zerosum import api
from zerosum.runtime import provenance
from zerosum.runtime.progress import Silent


def git(root: Path, *words: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", "-C", root, *identity, *words], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    root.mkdir()
    git(root, "init", "-q")
    (root / "file").write_text("1")
    git(root, "add", "file")
    git(root, "commit", "-qm", "one")
    return root


def test_a_checkout_tells_its_commit_and_whether_files_differ_from_it(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD").strip()
    assert provenance.of_checkout(checkout) == head[:7]
    (checkout / "untracked").write_text("2")
    assert provenance.of_checkout(checkout) == head[:7]
    (checkout / "file").write_text("2")
    assert provenance.of_checkout(checkout) == f"{head[:7]}+changes"


def test_another_repository_of_the_environment_does_not_count(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert provenance.of_checkout(checkout) is not None


def test_without_git_nothing_is_known(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert provenance.of_checkout(checkout.parent / "none") is None
    monkeypatch.setenv("PATH", "")
    assert provenance.of_checkout(checkout) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"url": "https://host/x", "vcs_info": {"vcs": "git", "commit_id": "0123456789abcdef"}}, "0123456"),
        ({"url": "file:///x", "dir_info": {"editable": True}}, None),
        ({"vcs_info": ["commit_id"]}, None),
        ([], None),
        (None, None),
    ],
)
def test_an_installation_tells_the_commit_that_pip_took(
    said: object, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "some_package-1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: some-package\nVersion: 1\n")
    if said is not None:
        (folder / "direct_url.json").write_text(json.dumps(said))
    monkeypatch.syspath_prepend(tmp_path)
    assert metadata.version("some-package") == "1"
    assert provenance.of_installation("some-package") == expected
    assert provenance.of_installation("no-such-package") is None


def test_a_run_records_the_commit_where_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"recipe": "gan", "rounds": 1, "batch": 4, "progress": Silent()}
    for number, known in enumerate(("0123456+changes", None)):
        monkeypatch.setattr("zerosum.run.metadata.commit", lambda known=known: known)
        run = api.train("ring8", run=tmp_path / str(number), **settings)
        assert run.description["versions"].get("commit") == known
