"""Pictures of waves, WAV files, and the kind that writes them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.io import wavfile

from zerosum import kinds
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.layers.mel import log_mel, mel
from zerosum.media import sounds

SPEC = Spec(shape=(1, 800), kind="waveforms", rate=8_000)
KIND = kinds.find("waveforms")


def waves(count: int = 3) -> torch.Tensor:
    return 0.5 * torch.sin(torch.arange(800) * torch.arange(1, count + 1)[:, None, None] / 9)


def test_samples_become_a_wav_each_one_after_another_a_picture_or_an_array(tmp_path):
    paths = KIND.save(waves(), tmp_path / "folder", {"seed": "3"}, SPEC)
    assert [path.name for path in paths] == [f"sample-000{i}.wav" for i in range(3)]
    rate, one = wavfile.read(paths[1])
    assert rate == 8_000
    assert one / 32767 == pytest.approx(waves()[1, 0].numpy(), abs=1e-4)
    assert b"seed: 3" in paths[1].read_bytes()
    (together,) = KIND.save(waves(), tmp_path / "all.wav", {}, SPEC)
    _, joined = wavfile.read(together)
    assert len(joined) == 3 * 800 + 2 * 2_000
    assert not joined[800:2_800].any()
    (array,) = KIND.save(waves(), tmp_path / "all.npy", {}, SPEC)
    assert np.load(array).shape == (3, 1, 800)
    (picture,) = KIND.save(waves(), tmp_path / "all.png", {}, SPEC)
    assert picture.stat().st_size > 1000
    with pytest.raises(InputError, match=r"Sounds are not written as all.tif"):
        KIND.save(waves(), tmp_path / "all.tif", {}, SPEC)
    assert KIND.play is not None
    (played,) = KIND.play(waves(10), tmp_path / "newest", SPEC)
    assert len(wavfile.read(played)[1]) == 8 * 800 + 7 * 2_000


def test_what_is_not_finite_is_neither_drawn_nor_written(tmp_path):
    bad = torch.full((1, 1, 800), torch.nan)
    with pytest.raises(InputError, match="cannot be shown"):
        sounds.panels(bad, 8_000)
    with pytest.raises(InputError, match="cannot be written"):
        KIND.save(bad, tmp_path / "bad.wav", {}, SPEC)


def test_generated_samples_get_the_levels_of_real_ones():
    finished = KIND.finished(torch.tensor([[[0.1234567, -2.0, 2.0]]]), SPEC)
    assert finished[0, 0].tolist() == pytest.approx([0.1234567, -1, 1], abs=1 / 32767)
    assert torch.equal(KIND.finished(finished, SPEC), finished)


@pytest.mark.parametrize("pitch", [220.0, 1_000.0, 5_000.0])
def test_a_sine_of_full_scale_is_at_0_db_in_its_band(pitch):
    sine = torch.sin(2 * torch.pi * pitch * torch.arange(16_384) / 16_000)[None]
    found = log_mel(sine, 16_000)
    assert found.shape == (1, 64, 65)
    middle = found[0, :, 32]
    assert middle.max().item() == pytest.approx(0, abs=3)
    width = (mel(8_000) - mel(40)) / 65
    assert abs(int(middle.argmax()) - ((mel(pitch) - mel(40)) / width - 1)) <= 1
    assert log_mel(torch.zeros(1, 64), 16_000).unique().tolist() == [-80.0]
