"""Settings of recipes whose networks come in sizes."""

from __future__ import annotations

from dataclasses import dataclass

from zerosum.config import AUTO
from zerosum.data.spec import Spec
from zerosum.recipe import RecipeConfig


@dataclass(frozen=True, kw_only=True)
class PresetConfig(RecipeConfig):
    """Settings of a recipe whose networks come in sizes: `presets` names them.

    Among several bases it comes last: fields that it has from `RecipeConfig` would take the place of another's.
    """

    preset: str = AUTO
    """Settings by name, over which single ones may be set; auto chooses by the images' size and the device."""

    @classmethod
    def preset_for(cls, spec: Spec, device: str) -> str:
        """Return the name of the preset for data of a spec: small on a CPU, and the paper's elsewhere.

        Args:
            spec: of the data.
            device: type of the device: "cpu", "cuda" or "mps".
        """
        return "small" if device == "cpu" else "paper"
