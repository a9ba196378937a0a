"""A run that is pushed and pulled by the real client, against a Hub on this machine."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.cli.conftest import Outcome
from tests.hub.conftest import CLASSES, SECRET
from tests.hub.fake_hub import FakeHub
from zerosum import api
from zerosum.hub import index
from zerosum.run.directory import Run

Command = Callable[..., Outcome]
NAME = "ada/mine"


def changed(hub: FakeHub, change: Callable[[dict[str, bytes]], Any], *, reindexed: bool = True) -> None:
    """Commit what somebody else makes of a run, with an index that fits unless they cannot write one."""
    files = dict(hub.newest(NAME))
    change(files)
    if reindexed:
        files[index.INDEX] = index.Index.of(2, {k: v for k, v in files.items() if k in index.ALLOWED}).text().encode()
    hub.commit(NAME, files)


def edited(content: bytes, **values: Any) -> bytes:
    return json.dumps(json.loads(content) | values).encode()


def test_what_comes_back_is_what_was_pushed(pushed: Command, hub: FakeHub, zerosum: Command, run: Run) -> None:
    said = pushed("--licence", "cc-by-4.0")
    assert said.code == 0, said.err
    assert f"To {NAME}, private" in said.out
    assert "weights.safetensors" in said.out
    assert hub.private == {NAME: True}
    files = hub.newest(NAME)
    assert files.keys() == {"README.md", "run.json", "samples.png", "weights.safetensors", "zerosum.json"}
    commit = next(iter(hub.repositories[NAME]))
    said = zerosum("pull", f"{NAME}@main", "--to", "there")
    assert said.code == 0, said.err
    assert commit in said.err
    assert Run.open("there").description["pulled"] == {"repository": NAME, "commit": commit}
    said = zerosum("pull", NAME, "--to", "there")
    assert (said.code, "--to" in said.err) == (2, True)
    mine, theirs = api.load(run.path, device="cpu"), api.load("there", device="cpu")
    for name, value in mine.state_dict().items():
        assert torch.equal(value, theirs.state_dict()[name]), name
    assert zerosum("sample", run.path, "-n", 4, "--out", "a.npy").code == 0
    for place in (f"hf:{NAME}", f"hf:{NAME}@{commit}"):
        said = zerosum("sample", "-n", 4, "--label", "0", "--out", "b.npy", place)
        assert said.code == 0, said.err
    assert zerosum("sample", run.path, "-n", 4, "--label", "0", "--out", "a.npy").code == 0
    assert (np.load("a.npy") == np.load("b.npy")).all()
    assert "weights alone" in zerosum("train", "--resume", f"hf:{NAME}", run.description["data"]["source"]).err
    assert "weights alone" in zerosum("train", "--resume", "there", run.description["data"]["source"]).err


def test_no_place_of_the_owner_goes_up(pushed: Command, hub: FakeHub, run: Run) -> None:
    assert SECRET in (run.path / "run.json").read_text()
    assert pushed().code == 0
    for name, content in hub.newest(NAME).items():
        assert SECRET.encode() not in content, name
    about = json.loads(hub.newest(NAME)["run.json"])
    assert (about["command"], about["data"]["source"], about["data"]["notes"]) == (None, "photos", [])
    assert "system" not in about["machine"]


def test_names_from_outside_are_no_markup_in_the_card(pushed: Command, hub: FakeHub) -> None:
    import yaml

    assert pushed("--licence", "cc-by-4.0").code == 0
    card = hub.newest(NAME)["README.md"].decode()
    _, head, body = card.split("---\n", 2)
    assert yaml.safe_load(head)["license"] == "cc-by-4.0"
    assert yaml.safe_load(head)["pipeline_tag"] == "unconditional-image-generation"
    for name in CLASSES:
        assert name not in body
    assert "&lt;b&gt;oak" in body
    assert "](www" not in body
    assert "Not evaluated." in body
    assert "![Samples](samples.png)" in body


@pytest.mark.slow
def test_figures_stand_with_floor_interval_and_protocol(
    pushed: Command, hub: FakeHub, run: Run, zerosum: Command
) -> None:
    said = zerosum("evaluate", run.path, "--features", "pixels", "--count", 40, "--metrics", "fid,authenticity")
    assert said.code == 0, said.err
    (run.path / "samples" / "nearest.json").write_text(
        json.dumps({"samples": [{"distance": 0.01}], "training": [{"distance": 0.5}], "searched": 40})
    )
    said = pushed()
    assert "WARNING: samples look like copies" in said.out
    files = hub.newest(NAME)
    card = files["README.md"].decode()
    assert "| metric | value | real against real | interval | better |" in card
    assert "Samples look like copies of training samples" in card
    assert "Real against real:" in card
    assert json.loads(files["evaluation.json"])["protocol"]["data"] == "photos"
    assert SECRET.encode() not in files["evaluation.json"] + files["README.md"]
    assert zerosum("report", f"hf:{NAME}").code == 0
    assert zerosum("compare", f"hf:{NAME}", f"hf:{NAME}").code == 0


@pytest.mark.slow
def test_training_goes_on_from_a_state_that_was_pushed(
    pushed: Command, hub: FakeHub, run: Run, zerosum: Command
) -> None:
    assert pushed().code == 0
    assert zerosum("pull", NAME, "--to", "there", "--with-state").code == 2
    assert pushed("--with-state").code == 0
    assert not [name for name in hub.newest(NAME) if name.endswith((".pt", ".pkl"))]
    assert zerosum("pull", NAME, "--to", "there", "--with-state").code == 0
    for place in (run.path, Path("there")):
        more = (run.description["data"]["source"], "--rounds", 4)
        said = zerosum("train", "--resume", place, *more)
        assert said.code == 0, said.err
    mine, theirs = api.load(run.path, device="cpu"), api.load("there", device="cpu")
    assert all(torch.equal(value, theirs.state_dict()[name]) for name, value in mine.state_dict().items())
    assert pushed().code == 0
    assert not set(index.RESUMING) & hub.newest(NAME).keys(), "a later push without state leaves the earlier one there"


def test_nothing_is_sent_unasked(run: Run, hub: FakeHub, zerosum: Command) -> None:
    said = zerosum("push", run.path, NAME)
    assert (said.code, hub.repositories) == (2, {})
    assert "weights.safetensors" in said.out
    assert "--yes" in said.err
    assert "no --licence" in zerosum("push", run.path, NAME, "--public", "--yes").err
    for repository in ("mine", "a/b/c", "../x", "ada/mine@v1", "ada/<b>"):
        said = zerosum("push", run.path, repository, "--yes")
        assert (said.code, "Traceback" in said.err) == (2, False)
    for place in (run.path / "checkpoints").iterdir():
        for file in place.iterdir():
            file.unlink()
        place.rmdir()
    said = zerosum("push", run.path, NAME, "--yes")
    assert (said.code, hub.repositories) == (2, {})
    assert "no checkpoint" in said.err


@pytest.mark.parametrize("flags", [(), ("--licence", "mit")])
def test_a_question_that_is_not_answered_sends_nothing(
    flags: tuple[str, ...], run: Run, hub: FakeHub, zerosum: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", type("Terminal", (io.StringIO,), {"isatty": lambda self: True})())
    said = zerosum("push", run.path, NAME, *flags)
    assert (said.code, hub.repositories) == (2, {})
    assert "Nothing was sent" in said.err


def test_a_private_run_does_not_go_to_a_public_repository(pushed: Command, hub: FakeHub) -> None:
    assert pushed("--public", "--licence", "mit").code == 0
    assert hub.private == {NAME: False}
    before = dict(hub.repositories[NAME])
    said = pushed()
    assert said.code == 2
    assert "public" in said.err
    assert hub.repositories[NAME] == before


def test_run_json_from_outside_names_no_place_here(stored: str, hub: FakeHub, zerosum: Command) -> None:

    def forge(files: dict[str, bytes]) -> None:
        about = json.loads(files["run.json"])
        about["data"] |= {"source": "/home/you/photos", "notes": ["x"]}
        about["data_options"] |= {"cache": "/home/you"}
        files["run.json"] = edited(
            files["run.json"], **{k: about[k] for k in ("data", "data_options")}, command="rm -rf /"
        )

    changed(hub, forge)
    assert zerosum("pull", NAME, "--to", "there").code == 0
    about = json.loads(Path("there/run.json").read_text())
    assert (about["data"]["source"], about["data"]["notes"], about["data_options"]["cache"]) == ("photos", [], None)
    assert about["command"] is None


FORGERIES: dict[str, tuple[Callable[[dict[str, bytes]], Any], bool, str]] = {
    "weights of another sum": (
        lambda f: f.update({"weights.safetensors": f["weights.safetensors"][:-1] + b"\x01"}),
        False,
        "size or checksum differ",
    ),
    "weights of another size": (
        lambda f: f.update({"weights.safetensors": f["weights.safetensors"] + b"\0"}),
        False,
        "and its index",
    ),
    "a pickle in their place": (
        lambda f: f.update({"weights.safetensors": b"\x80\x04cos\nsystem\n."}),
        True,
        "no safetensors",
    ),
    "nothing in their place": (lambda f: f.update({"weights.safetensors": b""}), True, "no safetensors"),
    "a file of code": (
        lambda f: f.update(
            {
                "evil.py": b"raise SystemExit",
                "zerosum.json": f["zerosum.json"].replace(b'"samples.png"', b'"evil.py"'),
            }
        ),
        False,
        "no file of a run",
    ),
    "a path": (
        lambda f: f.update({"zerosum.json": f["zerosum.json"].replace(b'"samples.png"', b'"../samples.png"')}),
        False,
        "no file of a run",
    ),
    "no index": (lambda f: f.pop("zerosum.json"), False, "no zerosum.json"),
    "an index that is no JSON": (lambda f: f.update({"zerosum.json": b"[" * 9999}), False, "cannot be read"),
    "a recipe that is not installed": (
        lambda f: f.update({"run.json": edited(f["run.json"], recipe="os")}),
        True,
        "no recipe 'os'",
    ),
    "a setting that there is not": (
        lambda f: f.update({"run.json": edited(f["run.json"], config={"evil": 1})}),
        True,
        "no setting 'evil'",
    ),
    "another format": (lambda f: f.update({"run.json": edited(f["run.json"], format=9)}), True, "format"),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_what_was_forged_or_damaged_is_refused_and_leaves_nothing(
    what: str, stored: str, hub: FakeHub, zerosum: Command
) -> None:
    change, reindexed, sentence = FORGERIES[what]
    changed(hub, change, reindexed=reindexed)
    said = zerosum("pull", NAME, "--to", "there/it")
    assert (said.code, "Traceback" in said.err) == (2, False), said.err
    assert sentence in said.err
    assert not [path for path in Path("there").iterdir() if path.name != ".cache"] if Path("there").exists() else True


@pytest.mark.parametrize("there", [True, False])
def test_a_run_is_pulled_to_where_a_link_leads(there: bool, stored: str, hub: FakeHub, zerosum: Command) -> None:
    Path("link").symlink_to(Path("large disk").absolute())
    if there:
        Path("large disk").mkdir()
    assert zerosum("pull", NAME, "--to", "link").code == 0
    assert (Path("link").is_symlink(), Path("large disk/run.json").is_file()) == (True, True)
    again = zerosum("pull", NAME, "--to", "link")
    assert (again.code, "not an empty folder" in again.err) == (2, True)


def test_a_recipe_of_ones_own_runs_only_where_it_is_named(stored: str, hub: FakeHub, zerosum: Command) -> None:
    origin = {"place": f"/{SECRET}/evil.py", "sha256": "0" * 64}
    changed(hub, lambda f: f.update({"run.json": edited(f["run.json"], recipe="Evil", recipe_origin=origin)}))
    Path("evil.py").write_text("raise SystemExit('it ran')")
    said = zerosum("sample", f"hf:{NAME}", "-n", 1)
    assert said.code == 2
    assert "only where you name it" in said.err
    assert "it ran" not in said.err


def test_without_a_connection_what_was_pulled_is_used(
    stored: str, hub: FakeHub, zerosum: Command, monkeypatch: pytest.MonkeyPatch, logged: io.StringIO
) -> None:
    assert zerosum("report", f"hf:{NAME}").code == 0
    from zerosum.hub import pull
    from zerosum.runtime.hub_client import UnreachableError

    def unreachable(*_: Any) -> None:
        raise UnreachableError("The Hub cannot be reached.")

    monkeypatch.setattr(pull.client, "look_up", unreachable)
    assert zerosum("report", f"hf:{NAME}").code == 0
    assert "pulled before" in logged.getvalue()
    said = zerosum("report", "hf:ada/other")
    assert (said.code, "cannot be reached" in said.err) == (2, True)


def test_two_processes_that_pull_at_once_use_one_copy(
    stored: str, hub: FakeHub, zerosum: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from zerosum.hub import pull

    build = pull._build

    def overtaken(*given: Any) -> None:
        monkeypatch.setattr(pull, "_build", build)
        others.append(pull.cached(f"hf:{NAME}"))
        build(*given)

    others: list[Path] = []
    monkeypatch.setattr(pull, "_build", overtaken)
    assert pull.cached(f"hf:{NAME}") == others[0]
    assert Run.open(others[0]).description["pulled"]["repository"] == NAME


@pytest.mark.parametrize("place", ["hf:ada/none", "hf:ada", "hf:", "hf:ada/mine@nowhere"])
def test_what_is_not_there_is_said_in_a_sentence(place: str, stored: str, hub: FakeHub, zerosum: Command) -> None:
    said = zerosum("sample", place, "-n", 1)
    assert (said.code, "Traceback" in said.err) == (2, False)
    assert place.removeprefix("hf:").partition("@")[0] in said.err


def test_equal_weights_are_equal_files(pushed: Command, hub: FakeHub) -> None:
    assert pushed().code == 0
    assert pushed().code == 0
    sums = {hashlib.sha256(files["weights.safetensors"]).hexdigest() for files in hub.repositories[NAME].values()}
    assert len(sums) == 1
