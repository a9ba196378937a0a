"""Batch norm whose mean and variance are of too few samples."""

from __future__ import annotations

from zerosum.doctor.evidence import Evidence
from zerosum.doctor.finding import Finding
from zerosum.doctor.signs import Sign, remedies

FEWEST = 8
"""Samples: a classifier errs on 23.6 % with 32, 24.8 % with 8, 27.3 % with 4, 34.7 % with 2 (table 2 of the paper)."""


def find(evidence: Evidence) -> Finding | None:
    """Return that a piece of a batch has fewer samples than batch norm needs."""
    facts = evidence.facts
    batch, pieces = facts.config.get("batch"), facts.training.get("micro_batches") or 1
    if not facts.batch_norm or not isinstance(batch, int) or batch / pieces >= FEWEST or not len(evidence.history):
        return None
    layer = "whose mean and variance are of each sample alone"
    return SIGN.finding(
        severity="warning",
        confidence="certain",
        since=int(evidence.history[0]["round"]),
        measure="samples that batch norm has its mean and variance from",
        value=batch / pieces,
        threshold=FEWEST,
        meaning="Mean and variance of so few samples are noise, which every layer passes on, and in use they are "
        "others than in training.",
        remedies=remedies.those(
            (
                remedies.change(evidence, "micro_batches", 1, "computes them from the whole batch")
                if pieces > 1 and batch >= FEWEST
                else remedies.change(evidence, "batch", 32, "gives them enough samples"),
                remedies.change(evidence, "generator_norm", "layer", f"takes layer norm in the generator, {layer}"),
                remedies.change(evidence, "discriminator_norm", "layer", f"takes it in the discriminator, {layer}"),
            )
        ),
    )


SIGN = Sign(
    name="batch-too-small-for-batch-norm",
    title="The batch is too small for batch norm",
    find=find,
    source="Wu & He 2018, table 2 (https://arxiv.org/abs/1803.08494)",
)
