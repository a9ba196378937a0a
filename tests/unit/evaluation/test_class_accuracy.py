"""Class accuracy: how many samples a classifier assigns to the class that they were generated for."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch

from tests.unit.evaluation.conftest import COUNT
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig
from zerosum.evaluation.evaluate import compute_metrics
from zerosum.evaluation.rehearsal import require_possible
from zerosum.evaluation.samples import Comparison
from zerosum.inference.generate import draw_labels
from zerosum.recipe import Recipe


def generator_of(spec: Spec, *, takes_labels: bool = True) -> Recipe:
    return cast("Recipe", SimpleNamespace(spec=spec, takes_labels=takes_labels))


@pytest.fixture
def asked(digits: Any) -> Comparison:
    """Real digits in the place of samples, each of the class that would be drawn for it."""
    spec = digits.dataset.spec
    wanted = draw_labels(spec, COUNT, 0).numpy()
    pool = {label: iter(digits.rows[digits.labels(digits.rows) == label]) for label in range(10)}
    rows = np.array([next(pool[int(label)]) for label in wanted])
    reference = digits.comparison(digits.images(rows))
    reference = replace(reference, reference=replace(reference.reference, rows=digits.real_rows))
    return replace(reference, recipe=generator_of(spec))


def test_it_is_the_share_that_the_classifier_calls_by_the_label_asked_for(asked: Comparison, digits: Any):
    (figure,), _ = compute_metrics(asked, ("class-accuracy",))
    wanted = draw_labels(digits.dataset.spec, COUNT, 0)
    called = asked.fake.logits.argmax(1)
    assert figure.value == pytest.approx(float((called == wanted).double().mean()))
    real = torch.from_numpy(digits.labels(digits.real_rows))
    assert figure.floor == pytest.approx(float((asked.real.logits.argmax(1) == real).double().mean()))
    assert figure.value > 0.5
    assert figure.interval.low < figure.value < figure.interval.high


def test_samples_of_other_classes_than_asked_for_are_told(asked: Comparison, digits: Any):
    mixed = replace(asked, fake=asked.fake.take(torch.arange(COUNT).roll(1)))
    (before,), _ = compute_metrics(asked, ("class-accuracy",))
    (after,), _ = compute_metrics(mixed, ("class-accuracy",))
    assert after.value < before.value / 2


def test_before_any_work_it_is_granted_to_a_classifier_of_the_data_alone(asked: Comparison):
    config, splits = EvaluationConfig(metrics="class-accuracy", count=COUNT), asked.reference.splits

    def subject(comparison: Comparison) -> Comparison:
        return replace(comparison, recipe=asked.recipe)

    require_possible(splits, config, "classifier", trained=True, subject=subject)
    for extractor in ("inception", "pixels"):
        with pytest.raises(InputError, match=f"the features {extractor} do not tell these classes"):
            require_possible(splits, config, extractor, trained=True, subject=subject)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: replace(c, recipe=None), "of no classes"),
        (lambda c: replace(c, recipe=generator_of(c.recipe.spec, takes_labels=False)), "of no classes"),
        (lambda c: replace(c, recipe=generator_of(replace(c.recipe.spec, attributes=("round",)))), "of no classes"),
        (lambda c: replace(c, recipe=generator_of(replace(c.recipe.spec, classes=tuple("abcdefghij")))), "not those"),
        (lambda c: replace(c, reference=replace(c.reference, expected=None)), "do not tell these classes"),
    ],
)
def test_it_is_unavailable_in_a_sentence_where_classes_differ(asked: Comparison, change: Any, said: str):
    with pytest.raises(InputError, match=f"class-accuracy is unavailable here: .*{said}"):
        compute_metrics(change(asked), ("class-accuracy",))
