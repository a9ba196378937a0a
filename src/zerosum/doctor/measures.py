"""Names of what is watched during training for the signs' sake, as the history keeps them."""

from __future__ import annotations

PREFIX = "watch/"

DIVERSITY = "watch/diversity"
"""Mean pairwise L1 distance of generated samples, divided by that of real ones; 0 where all are the same."""

DISTANCE = "watch/distance"
"""Energy distance of generated to real samples, divided by the mean distance of real ones: 0 where both have one
distribution (Szekely & Rizzo 2013), 1 to 2 where all are one gray."""

CLASS_DIVERSITY = "watch/class_diversity"
"""The smallest of these ratios over classes, for conditional recipes; of more than 16 classes, 16 in turn."""

LABEL_EFFECT = "watch/label_effect"
"""Mean L1 distance of samples of one latent with two labels, divided by that of two latents with one label."""

CHECKERBOARD = "watch/checkerboard"
"""Share of the samples' spectral power near the Nyquist frequencies, divided by that of real ones, or by 0.001
where they have less; left out where samples are smaller ones enlarged, as progressive growing begins."""

DEAD_UNITS = "watch/dead_units"
"""Largest share over the networks' `nn.ReLU` layers of units (channels of maps) that are 0 for a whole round."""

SATURATED = "watch/saturated"
"""Share of the samples' values within 0.01 of -1 or 1, or beyond, minus that of real ones; images alone."""

NEAREST = "watch/nearest"
"""Median distance of a sample to its nearest training sample, divided by that of a training sample to its nearest
other one; of images averaged to 16x16, where there are at most 4,096."""

UPDATE = "watch/{player}/update"
"""Norm of a player's step divided by the norm of its weights."""

WEIGHTS = "watch/{player}/weights"
"""Norm of a player's weights."""

DATA_WAIT = "watch/data_wait"
"""Share of the time that rounds wait for real samples, since the row before."""
