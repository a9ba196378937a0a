"""What docs/evaluation.md says runs as it stands, but for fewer rounds and samples, and names every metric."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from zerosum.cli import main
from zerosum.evaluation.measures import better

PAGE = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
TRAINED = ["--rounds", "2", "--batch", "8", "--width", "4", "--evaluate-features", "pixels", "--evaluate-count", "20"]
EVALUATED = ["--features", "pixels", "--count", "60", "--metrics", "fid,coverage"]


def test_the_commands_run_in_their_order(capsys):
    (block,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    more = {"train": TRAINED, "evaluate": EVALUATED, "compare": []}
    for line in block.splitlines():
        _, *arguments = shlex.split(line[2:])
        assert main([*arguments, *more[arguments[0]]]) == 0, capsys.readouterr().err
    assert capsys.readouterr().out.splitlines()[-9].startswith("metric")
    assert main(["sample", "runs/one", "--checkpoint", "best", "-n", "1"]) == 0


def test_every_metric_stands_in_the_table_with_its_direction():
    rows = re.findall(r"^\| (.*?) \| .*? \| (lower|higher) \|$", PAGE, re.MULTILINE)
    assert {name: way for names, way in rows for name in re.findall(r"`(.*?)`", names)} == better()
