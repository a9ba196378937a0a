"""Names of what is watched during training for the signs' sake, as the history keeps them."""

from __future__ import annotations

DIVERSITY = "watch/diversity"
"""Mean pairwise L1 distance of generated samples, divided by that of real ones; 0 where all are the same."""

CLASS_DIVERSITY = "watch/class_diversity"
"""The smallest of these ratios over classes, for conditional recipes."""

LABEL_EFFECT = "watch/label_effect"
"""Mean L1 distance of samples of one latent with two labels, divided by that of two latents with one label."""

CHECKERBOARD = "watch/checkerboard"
"""Share of the samples' spectral power near the Nyquist frequencies, divided by that of real ones."""

DEAD_UNITS = "watch/dead_units"
"""Largest share over the networks' rectified layers of units that are 0 for a whole batch."""

SATURATED = "watch/saturated"
"""Share of the samples' values within 0.01 of -1 or 1, minus that of real ones."""

NEAREST = "watch/nearest"
"""Median distance of a sample to its nearest training sample, divided by that of a held-out or other real sample."""

HELD_OUT_GAP = "watch/held_out_gap"
"""Mean logit of training samples minus that of held-out ones, divided by that of training minus generated ones."""

UPDATE = "watch/{player}/update"
"""Norm of a player's step divided by the norm of its weights."""

WEIGHTS = "watch/{player}/weights"
"""Norm of a player's weights."""

DATA_WAIT = "watch/data_wait"
"""Share of the time that rounds wait for real samples."""

AUGMENTED = "watch/augmentation_leak"
"""How much likelier generated samples are to look augmented than real ones, as `zerosum.doctor.watch` measures it."""
