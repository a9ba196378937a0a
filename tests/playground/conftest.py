"""The page's own scripts, run by node without a page."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from zerosum.playground.build import ENGINE, doctor, script

Node = Callable[..., Any]


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """Run JavaScript after the engine's scripts; `given` is called so there, and `answer` returns a value."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs node")

    def run(body: str, given: Any = None) -> Any:
        file = tmp_path / "run.js"
        text = json.dumps(json.dumps({"given": given, "doctor": doctor()}))
        file.write_text(
            f"{script(ENGINE)}\nconst {{ given, doctor }} = JSON.parse({text});\n"
            "const answer = (value) => console.log(JSON.stringify(value, (_, one) =>\n"
            "  ArrayBuffer.isView(one) ? [...one] : typeof one === 'number' && !isFinite(one) ? String(one) : one));\n"
            f"{body}\n"
        )
        done = subprocess.run([program, str(file)], capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout)

    return run
