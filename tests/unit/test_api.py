"""The Python interface: values of Python in the place of what is typed, and one sentence for what cannot be used."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import zerosum
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.run.training_config import TrainingConfig

QUICK: dict[str, Any] = {"recipe": "gan", "rounds": 1, "batch": 4}
UNTYPED: Any = zerosum
IMAGES = np.zeros((8, 16, 16, 3), np.uint8)


class Eight(torch.utils.data.Dataset[torch.Tensor]):
    def __len__(self) -> int:
        return 8


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (IMAGES, "ndarray"),
        (torch.from_numpy(IMAGES), "Tensor"),
        ([IMAGES[0]], "list"),
        (Eight(), "Eight"),
        (None, "NoneType"),
    ],
)
def test_data_in_memory_are_refused_with_what_to_do(data: Any, kind: str) -> None:
    said = rf'^An object of the type {kind} is given .*numpy\.save\("data\.npy", array\), and name that\.$'
    for refused in (
        lambda: zerosum.train(data, **QUICK),
        lambda: zerosum.tune(data, **QUICK),
        lambda: zerosum.evaluate(data),
        lambda: zerosum.diagnose(data),
    ):
        with pytest.raises(InputError, match=said):
            refused()
    assert not Path("runs").exists()


def test_several_runs_in_a_list_are_refused() -> None:
    with pytest.raises(InputError, match="A list of places is given where one is needed: give each as an argument"):
        zerosum.compare(["runs/a", "runs/b"])  # type: ignore[arg-type]


def test_text_of_settings_is_given_by_values_of_python_too() -> None:
    for size in (16, "16", "16x16", (16, 16), [16, 16]):
        assert DataConfig.read({"size": size}).sides() == (16, 16)
    assert DataConfig.read({"size": (48, 64), "labels": Path("a.csv"), "groups": 3}) == DataConfig(
        size="48x64", labels="a.csv", groups="3"
    )
    assert DataConfig.read({"range": (0, 4095)}).range == "0,4095"
    assert TrainingConfig.read({"stabilise": ["r1:2", "lecam"]}).stabilise == "r1:2,lecam"
    assert TrainingConfig.read({"device": torch.device("cpu")}).device == "cpu"
    assert EvaluationConfig.read({"metrics": ["fid", "kid"], "against": Path("photos")}) == EvaluationConfig(
        metrics="fid,kid", against="photos"
    )
    for value in (True, {"a": 1}, IMAGES, []):
        with pytest.raises(InputError, match="but should be a string"):
            DataConfig.read({"labels": value})


def test_a_run_is_taken_wherever_its_folder_is() -> None:
    run = zerosum.train("digits", run="runs/one", size=16, device=torch.device("cpu"), **QUICK)
    assert zerosum.load(run).sample(2).shape == (2, 1, 16, 16)
    assert run.description["data_options"]["size"] == "16"
    few: dict[str, Any] = {"features": "pixels", "count": 20, "metrics": ["fid"]}
    assert [figure.metric for figure in zerosum.evaluate(run, **few).figures] == ["fid"]
    assert len(zerosum.compare(run)) == 1
    assert zerosum.diagnose(run) == zerosum.diagnose(run.path)
    assert zerosum.resume(run, rounds=2).path == run.path


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: UNTYPED.train("ring8", run=3, **QUICK), "The number 3 is given where a path or a name is needed"),
        (lambda: UNTYPED.tune("ring8", out=3, **QUICK), "The number 3 is given where a path or a name is needed"),
        (
            lambda: UNTYPED.tune("ring8", trials=2.5, **QUICK),
            "trials=2.5 was given: give more than 0, in whole numbers",
        ),
        (lambda: UNTYPED.train("digits", recipe="gan", minutes="5"), "--minutes is '5', but should be greater than 0"),
        (lambda: UNTYPED.train("ring8", progress=False, **QUICK), r"progress is False: give an object with update"),
        (lambda: UNTYPED.train("ring8", progress=print, **QUICK), r"progress is <built-in function print>: give an"),
        (lambda: UNTYPED.load("runs/one", device=None), "There is no device None; give one of: auto"),
        (lambda: UNTYPED.evaluate("runs/one", progress="yes"), r"progress is 'yes': give an object with update"),
        (lambda: UNTYPED.diagnose("runs/one", columns=["a=b"]), r"columns=\['a=b'\] was given: give a dict"),
        (lambda: UNTYPED.plot(3), "The number 3 is given where a path or a name is needed"),
        (lambda: UNTYPED.plot(["runs/one"]), "A list of places is given where one is needed: give each as an argument"),
        (lambda: UNTYPED.export("runs/one", to="pt2", out=3), "The number 3 is given where a path or a name is needed"),
        (lambda: UNTYPED.export("runs/one", to="pt2", precision="int8"), "--precision is 'int8': give one of float32,"),
    ],
)
def test_values_of_another_type_are_refused_in_a_sentence(wrong: Any, said: str) -> None:
    zerosum.train("ring8", run="runs/one", **QUICK)
    with pytest.raises(InputError, match=said):
        wrong()


@pytest.mark.parametrize(
    "empty",
    [
        lambda: zerosum.train("", run="runs/two", **QUICK),
        lambda: zerosum.train("ring8", run="", **QUICK),
        lambda: zerosum.load(""),
        lambda: zerosum.evaluate("runs/one", against=""),
        lambda: zerosum.export("runs/one", to="pt2", out=""),
    ],
)
def test_an_empty_text_is_not_the_folder_in_which_one_is(empty: Any) -> None:
    zerosum.train("ring8", run="runs/one", **QUICK)
    with pytest.raises(InputError, match="An empty text is given where a path or a name is needed: give one, or"):
        empty()
    assert [path.name for path in Path("runs").iterdir()] == ["one"]


def test_a_run_with_settings_from_arrays_is_gone_on_with() -> None:
    hidden = np.array([8, 8])
    for given in ([8, 8], hidden, torch.from_numpy(hidden), (8, 8)):
        run = zerosum.train("ring8", run="runs/one", go_on=True, generator_hidden=given, **QUICK)
        assert run.description["config"]["generator_hidden"] == [8, 8]


def test_one_curve_is_plotted_by_its_name() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plots")
    run = zerosum.train("ring8", run="runs/one", **QUICK)
    (panel,) = zerosum.plot(run, curves="generator/loss").axes
    assert panel.get_title() == "generator/loss"


def test_words_that_are_no_choice_are_refused() -> None:
    zerosum.train("digits", run="runs/one", **QUICK)
    with pytest.raises(InputError, match="no checkpoint 'last' to choose: give newest, best or a round such as 5000"):
        zerosum.load("runs/one", checkpoint="last")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="--to is 'torchscript': give one of onnx, pt2, web"):
        zerosum.export("runs/one", to="torchscript")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=re.escape("trials='many' was given: give more than 0")):
        zerosum.tune("digits", trials="many", **QUICK)  # type: ignore[arg-type]


def test_a_loaded_model_is_a_module_like_any_other() -> None:
    zerosum.train("digits", run="runs/one", **QUICK)
    model: Any = zerosum.load("runs/one")
    torch.manual_seed(3)
    expected = model.sample(2)
    copy = pickle.loads(pickle.dumps(model))  # made here
    torch.manual_seed(3)
    assert torch.equal(copy.sample(2), expected)
    latent = torch.randn(2, 100)
    assert torch.equal(torch.compile(model.generator, backend="eager")(latent), model.generator(latent))
