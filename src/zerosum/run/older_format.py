"""Descriptions of runs in formats of before, brought to the present one."""

from __future__ import annotations

from typing import Any

FORMAT = 2

KINDS = {"pix2pix": "pairs", "srgan": "pairs", "cyclegan": "domains"}
TASKS = {"pix2pix": "translate", "srgan": "upscale", "cyclegan": "translate", "inpaint": "inpaint"}
"""Of the recipes in run.json of format 1, where they are not images or points, generated."""

RENAMED = {
    "rate": "lr",
    "generator_rate": "generator_lr",
    "discriminator_rate": "discriminator_lr",
    "average": "ema_decay",
    "critic_moves": "n_critic",
    "discriminator_moves": "n_discriminator",
    "form": "upsampling",
    "hold": "lr_hold",
    "widest": "max_channels",
    "latent": "latent_dim",
    "toy_hidden": "points_hidden",
    "group": "minibatch_group",
}
"""Settings of recipes in run.json of format 1, and what they are called since."""


def in_present_format(description: dict[str, Any]) -> dict[str, Any]:
    """Bring what run.json of format 1 says to format 2: settings by the field's names, task and kind of sample."""
    if description.get("format") != 1:
        return description
    recipe, config, spec = (description.get(name) for name in ("recipe", "config", "spec"))
    if isinstance(config, dict):
        config = {RENAMED.get(name, name): value for name, value in config.items()}
    if isinstance(spec, dict) and isinstance(spec.get("shape"), list):
        plain = "points" if len(spec["shape"]) == 1 else "images"
        spec = {"kind": KINDS.get(str(recipe), plain), **spec}
    task = TASKS.get(str(recipe), "generate")
    return {**description, "format": FORMAT, "task": task, "config": config, "spec": spec}
