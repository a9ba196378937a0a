"""Extractors of sounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from zerosum.data.options import DataConfig
from zerosum.errors import InputError
from zerosum.features.find import default, find, names
from zerosum.kinds.waveforms import open_waveforms


def test_names_and_defaults_go_by_labels(tmp_path):
    labelled = open_waveforms("tones", options=DataConfig(length=256))
    plain = replace(labelled, labels=None, spec=replace(labelled.spec, classes=()))
    assert names("waveforms") == ("classifier", "mel")
    assert default(labelled, cache=tmp_path)[0] == "classifier"
    assert default(plain, cache=tmp_path)[0] == "mel"
    with pytest.raises(InputError, match=r"no labels .* --features mel"):
        find("classifier", reference=plain, cache=tmp_path)
    with pytest.raises(InputError, match="There are no features inception: give one of classifier, mel"):
        find("inception", reference=labelled, cache=tmp_path)


def test_statistics_of_bands_are_of_each_sound_by_itself(tmp_path):
    dataset = open_waveforms("tones", options=DataConfig(length=1024))
    extractor = find("mel", reference=dataset, cache=tmp_path)
    waves = dataset.real(np.arange(6))
    found = extractor(waves).features
    assert found.shape == (6, extractor.width)
    torch.testing.assert_close(found[2:4], extractor(waves[2:4]).features, rtol=1e-4, atol=1e-3)


@pytest.mark.slow
def test_a_classifier_learns_pitch_classes(tmp_path):
    dataset = open_waveforms("tones", options=DataConfig())
    held_out = open_waveforms("tones", options=DataConfig(split="test"))
    extractor = find("classifier", reference=dataset, held_out=held_out, cache=tmp_path)
    found = extractor(held_out.real(np.arange(100)))
    assert found.logits is not None
    assert (found.logits.argmax(1).numpy() == held_out.labels[:100]).mean() > 0.8
    assert extractor.learned == dataset.fingerprint
