"""Any vision model of the Hugging Face hub as an extractor, by its name there: DINOv2, CLIP, ViT ..."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from zerosum.errors import InputError
from zerosum.features.extractor import SENTENCE, Features, as_rgb, identity_of, rgb_levels
from zerosum.runtime import rng

CPU = torch.device("cpu")


class HuggingFace:
    """The pooled output of a vision model: for CLIP and its like, of the tower that sees images.

    Images are resized and normalised as the model's own preprocessor settings say, with one resizer for all models.

    Args:
        model: its name on the hub, such as "facebook/dinov2-base", or a folder that holds it. Only safetensors are
            read, and none of the code that may come with a model is run.
        device: where to compute.

    Raises:
        InputError: The extra "vision" is not installed, or the model is unavailable or has no single vector an image.
    """

    def __init__(self, model: str, *, device: torch.device = CPU) -> None:
        with rng.fork(CPU):
            settings, network = _load(model)
        self.name = f"hf:{model}"
        self._network = network.to(device, torch.float32).eval().requires_grad_(False)
        self._device = device
        self._side = _side(settings, network)
        levels = [settings.get(f"image_{part}") or [0.5] * 3 for part in ("mean", "std")]
        self._mean, self._deviation = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in levels)
        self.identity = identity_of(network.state_dict(), self._side, levels)
        self.width = self(torch.zeros(1, 3, self._side, self._side, dtype=torch.uint8)).features.shape[1]
        self.protocol = (
            f"The Hugging Face model {model} (weights {self.identity[:8]}), its {self.width:,} pooled features; images "
            f"resized to {self._side}x{self._side} (bilinear, antialiased), mean {levels[0]}, deviation {levels[1]}, "
            f"{SENTENCE}."
        )

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Features:
        """See (N, C, H, W) uint8 images of any size."""
        return Features(features=self._features(as_rgb(images).to(self._device, torch.float32)).cpu())

    def with_gradient(self, images: Tensor) -> Tensor:
        """Map (N, C, H, W) images in [-1, 1] to features (N, F)."""
        return self._features(rgb_levels(images.to(self._device)))

    def _features(self, rgb: Tensor) -> Tensor:
        """Map (N, 3, H, W) in [0, 255] to features (N, F)."""
        x = functional.interpolate(rgb, (self._side, self._side), mode="bilinear", align_corners=False, antialias=True)
        with torch.autocast(self._device.type, enabled=False):
            seen = self._network(pixel_values=(x.div(255) - self._mean) / self._deviation)
        pooled = getattr(seen, "pooler_output", None)
        if pooled is None:
            pooled = seen.last_hidden_state[:, 0]
        return pooled.flatten(1).float()


def _load(model: str) -> tuple[dict[str, Any], Any]:
    """The preprocessor's settings and the network that sees images."""
    try:
        from transformers import (  # pyright: ignore[reportMissingImports]  # an extra
            AutoConfig,
            AutoModel,
            ImageProcessingMixin,
        )
    except ImportError as error:
        raise InputError(
            f"--features hf:{model} needs the extra vision ({error}): pip install 'zerosum[vision]'"
        ) from error
    try:
        settings, _ = ImageProcessingMixin.get_image_processor_dict(model)
        config = AutoConfig.from_pretrained(model, trust_remote_code=False)
        network = AutoModel.from_pretrained(model, config=config, trust_remote_code=False, use_safetensors=True)
    except (OSError, ValueError, ImportError) as error:
        first = str(error).strip().splitlines()[0].partition(". ")[0]
        raise InputError(
            f"The vision model {model} is unavailable ({first}): give a name from huggingface.co with safetensors and "
            "an internet connection, or the folder of a downloaded model."
        ) from error
    return settings, getattr(network, "vision_model", network)


def _side(settings: dict[str, Any], network: Any) -> int:
    """Side of the images that a model is shown: that of its crop or resize, else of its patches' table."""
    for found in (settings.get("crop_size"), settings.get("size"), getattr(network.config, "image_size", None)):
        if isinstance(found, dict):
            found = found.get("height") or found.get("shortest_edge")
        if isinstance(found, int):
            return found
    return 224
