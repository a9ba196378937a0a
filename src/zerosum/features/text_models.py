"""Any text model of the Hugging Face hub as an encoder of sentences, by its name there: CLIP, MiniLM, BERT, T5 ..."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from zerosum.errors import InputError
from zerosum.runtime import rng

T = TypeVar("T")
TRAINED = "trained"
"""What stands in the place of a model's name where an encoder is trained on the data."""
MOST_KNOWN = 100_000
"""Sentences whose vectors are kept."""
MOST_TOKENS = 77


class TextModel:
    """One vector a sentence: of CLIP and its like that of the text tower, of others the mean over tokens.

    Args:
        model: its name on the hub, such as "sentence-transformers/all-MiniLM-L6-v2", or a folder that holds it. Only
            safetensors are read, and none of the code that may come with a model is run.
        device: where to compute.

    Raises:
        InputError: the extra "vision" is not installed, or the model is unavailable.
    """

    def __init__(self, model: str, *, device: torch.device) -> None:
        with rng.fork(torch.device("cpu")):
            self._tokenizer, network = _available(model, _load)
        self._pooled = hasattr(network, "text_model")
        network = getattr(network, "text_model", network)
        if network.config.is_encoder_decoder:
            network = network.get_encoder()
        self._network = network.to(device, torch.float32).eval().requires_grad_(False)
        self._device = device
        self._known: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, sentences: Sequence[str]) -> Tensor:
        """Map sentences to (N, E) float32."""
        new = [sentence for sentence in dict.fromkeys(sentences) if sentence not in self._known]
        if len(self._known) + len(new) > MOST_KNOWN:
            self._known, new = {}, list(dict.fromkeys(sentences))
        for start in range(0, len(new), 64):
            part = new[start : start + 64]
            self._known |= dict(zip(part, self._encode(part), strict=True))
        return torch.stack([self._known[sentence] for sentence in sentences])

    def _encode(self, sentences: list[str]) -> Tensor:
        most = min(MOST_TOKENS, self._tokenizer.model_max_length)
        given = self._tokenizer(sentences, padding=True, truncation=True, max_length=most, return_tensors="pt")
        given = given.to(self._device)
        with torch.autocast(self._device.type, enabled=False):
            found = self._network(**{name: given[name] for name in ("input_ids", "attention_mask")})
        if self._pooled:
            return found.pooler_output.float()
        weight = given["attention_mask"].unsqueeze(2).float()
        return (found.last_hidden_state.float() * weight).sum(1) / weight.sum(1).clamp(min=1)


def width_of(model: str) -> int:
    """Return the number of values of a sentence's vector, without loading the weights.

    Raises:
        InputError: the extra "vision" is not installed, or the model is unavailable.
    """
    config = _available(model, lambda name: _transformers(name).AutoConfig.from_pretrained(name))
    config = getattr(config, "text_config", None) or config
    names = ("hidden_size", "d_model", "dim", "n_embd")
    width = next((getattr(config, name) for name in names if isinstance(getattr(config, name, None), int)), None)
    if width is None:
        raise InputError(f"The model {model} does not say how wide its vectors are: choose a text model, such as CLIP.")
    return width


def _available(model: str, load: Callable[[str], T]) -> T:
    try:
        return load(model)
    except (OSError, ValueError, KeyError) as error:
        first = str(error).strip().splitlines()[0].partition(". ")[0]
        raise InputError(
            f"The text model {model} is unavailable ({first}): give a name from huggingface.co with safetensors and an "
            "internet connection, or the folder of a downloaded model."
        ) from error


def _load(model: str) -> tuple[Any, Any]:
    library = _transformers(model)
    tokenizer = library.AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    return tokenizer, library.AutoModel.from_pretrained(model, trust_remote_code=False, use_safetensors=True)


def _transformers(model: str) -> Any:
    try:
        import transformers  # pyright: ignore[reportMissingImports]  # an extra
    except ImportError as error:
        raise InputError(
            f"--text-encoder hf:{model} needs the extra vision ({error}): pip install 'zerosum[vision]'"
        ) from error
    return transformers


def encoder_name(value: str) -> str:
    """Check the name of an encoder of sentences, "trained" or hf:NAME.

    Raises:
        ValueError: it is neither.

    >>> encoder_name("hf:openai/clip-vit-base-patch32")
    'hf:openai/clip-vit-base-patch32'
    """
    if value != TRAINED and not (value.startswith("hf:") and value.removeprefix("hf:").strip()):
        raise ValueError("trained, or hf:NAME with the name of a text model of Hugging Face")
    return value
