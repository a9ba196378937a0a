"""The workflows: each action is one commit, no job may do more than it says, and a checkout keeps no credentials."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
USES = re.compile(r"^ *- uses: (.+)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "docs", "release", "weekly"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_an_action_is_pinned_to_a_commit_beside_its_version(path: Path):
    used = USES.findall(path.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not PINNED.fullmatch(action)] == []


def test_an_action_is_the_same_commit_everywhere():
    used = {action for path in WORKFLOWS for action in USES.findall(path.read_text(encoding="utf-8"))}
    assert len(used) == len({action.partition("@")[0] for action in used})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_do_nothing_but_what_a_job_says(path: Path):
    text = path.read_text(encoding="utf-8")
    assert "\npermissions: {}\n" in text
    checkouts = re.findall(r"actions/checkout@.*\n +with:\n +persist-credentials: false\n", text)
    assert len(checkouts) == text.count("actions/checkout@")


@pytest.mark.slow
def test_zizmor_finds_nothing():
    zizmor = Path(sys.executable).with_name("zizmor")
    if not zizmor.exists():
        pytest.skip("needs zizmor")
    done = subprocess.run([zizmor, "--offline", "--no-progress", ROOT / ".github"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
