"""Vision models by name: a tiny one with random weights, as a folder on disk."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from zerosum.errors import InputError
from zerosum.features.huggingface import HuggingFace

LEVELS = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.2, 0.25, 0.3]}


def test_a_vision_model_sees_images_resized_and_normalised_as_its_settings_say(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra vision; pip install 'zerosum[vision]'")
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    model = transformers.ViTModel(transformers.ViTConfig(**sizes, image_size=32, patch_size=8)).eval()
    model.save_pretrained(tmp_path)
    processor = {"size": {"height": 32, "width": 32}, "image_processor_type": "ViTImageProcessor", **LEVELS}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    found = HuggingFace(str(tmp_path))
    assert found.width == 32
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in LEVELS.values())
    with torch.no_grad():
        expected = model(pixel_values=(images / 255 - mean) / deviation).pooler_output
    torch.testing.assert_close(found(images).features, expected)
    assert found(images[:, :1, :20, :24]).features.shape == (2, 32)
    assert HuggingFace(str(tmp_path)).identity == found.identity


def test_a_folder_without_a_model_is_refused_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra vision; pip install 'zerosum[vision]'")
    with pytest.raises(InputError, match=r"is unavailable .*give a name from huggingface.co with safetensors"):
        HuggingFace(str(tmp_path))


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(InputError, match=r"--features hf:facebook/dinov2-base needs the extra vision .*pip install"):
        HuggingFace("facebook/dinov2-base")
