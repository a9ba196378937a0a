"""An exported generator as what is evaluated: its file alone, without the run that it comes from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from zerosum import kinds
from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.evaluation.config import EvaluationConfig, EvaluationContext
from zerosum.evaluation.inputs import extract_stream
from zerosum.evaluation.reference import prepare
from zerosum.evaluation.samples import Comparison
from zerosum.evaluation.splits import find_splits
from zerosum.exporting.generator_file import read_generator
from zerosum.inference.generate import finished


def of_generator_file(path: Path, config: EvaluationConfig, context: EvaluationContext) -> Comparison:
    """Compare samples of an ONNX generator with real ones, which are opened as those that it was trained on.

    Raises:
        InputError: the file is no such generator, or the data are not there or of another shape.
        StorageError: the cache cannot be written to.
    """
    if config.against is None:
        raise InputError(f"{path} has no data of its own to be compared with: name some with --against DATA.")
    if config.per_class or config.size is not None:
        raise InputError(f"{path} makes its own size, and --per-class is for runs: leave out --size and --per-class.")
    model = read_generator(path)
    kind = kinds.find(model.spec.kind)
    if not kind.accepts(config.against):
        raise InputError(f"{path} makes {kind.unit}, and {config.against} is of another kind: give data of that kind.")
    asked = kind.like(model.spec, DataConfig(cache=str(context.cache)))
    splits = find_splits(
        (kind.batch,), config.against, asked, split=config.split, progress=context.progress, world=context.world
    )
    found = splits.real.images.spec.shape
    if found != model.spec.shape:
        raise InputError(f"{path} makes samples of shape {model.spec.shape} and {config.against} has {found}.")
    reference = prepare(splits, config, context, trained=False, subject=lambda comparison: comparison)
    count, world = reference.protocol.fake, context.world
    batches = model.stream(count, reference.protocol.seed, rank=world.rank, world=world.size)
    fake = extract_stream(
        reference.extractor, map(partial(finished, model.spec), batches), count=count, context=context
    )
    return reference.compare(fake)
