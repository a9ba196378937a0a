"""Sounds: what is done to files of other rates, channels and lengths, and what is refused in a sentence."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.io import wavfile

from zerosum.data.check import check
from zerosum.data.sources.tones import CLASSES, tones
from zerosum.errors import InputError, NoSuchSplit
from zerosum.kinds import default_recipe, open_as, open_data
from zerosum.kinds.waveforms import Waveforms, open_waveforms

RATE = 16_000


def sine(seconds, *, rate=RATE, pitch=440.0, peak=0.5):
    return (peak * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


@pytest.fixture
def sounds(tmp_path):
    """A maker of folders: names to (rate, samples) or to bytes."""

    def make(files):
        for name, content in files.items():
            path = tmp_path / "sounds" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                wavfile.write(path, *content)
        return tmp_path / "sounds"

    return make


def test_a_folder_of_class_folders_is_read(sounds, options):
    folder = sounds({f"{name}/{i}.wav": (RATE, sine(0.1 + i / 50)) for name in ("a", "b") for i in range(3)})
    (folder / "notes.txt").write_text("no sound")
    dataset = open_data(folder, options=options(length=2048))
    assert default_recipe(folder) == "wavegan"
    assert (dataset.spec.kind, dataset.spec.shape, dataset.spec.rate) == ("waveforms", (1, 2048), RATE)
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.samples.dtype == np.uint16
    again = open_data(folder, options=options(length=2048))
    assert (again.fingerprint, again.spec, again.notes) == (dataset.fingerprint, dataset.spec, dataset.notes)
    wave = dataset.real(np.array([2]))[0, 0].numpy()
    assert wave == pytest.approx(sine(0.14)[:2048], abs=1 / 32767)
    said = " ".join(dataset.notes)
    assert "4 files shorter" in said
    assert "Left out because no sounds: 1 file (.txt)." in said
    assert "Labels are the names of the 2 folders." in said


@pytest.mark.parametrize(
    ("fit", "count", "sentence"),
    [
        ("cover", 4, "they are cut into 4 windows one after another"),
        ("tiles", 8, "they are cut into 8 windows that overlap by half"),
        ("pad", 1, "the first window of each is taken"),
    ],
)
def test_a_long_file_is_cut_into_windows(sounds, options, fit, count, sentence):
    folder = sounds({"long.wav": (RATE, sine(0.3))})
    dataset = open_waveforms(folder, options=options(length=1024, fit=fit))
    assert len(dataset) == count
    assert any(sentence in note for note in dataset.notes)
    assert len(open_waveforms(folder / "long.wav", options=options(length=1024, fit=fit))) == count


def test_other_rates_are_resampled_and_stereo_is_mixed_and_both_are_said(sounds, options):
    left = sine(0.2, rate=44_100)
    folder = sounds(
        {
            "a.wav": (44_100, np.stack([left, -left / 2], 1)),
            "b.wav": (RATE, (sine(0.2) * 32767).astype(np.int16)),
            "c.wav": (8_000, (sine(0.2, rate=8_000) * 127 + 128).astype(np.uint8)),
        }
    )
    dataset = open_waveforms(folder, options=options(length=3200))
    assert dataset.spec.rate == RATE
    waves = dataset.real(np.arange(3))[:, 0].numpy()
    for row, scale, tolerance in ((0, 0.25, 0.01), (1, 1.0, 0.001), (2, 1.0, 0.02)):  # (1 - 1/2) / 2 of the left
        assert waves[row, 100:-100] == pytest.approx(scale * sine(0.2)[100:-100], abs=tolerance)
    said = " ".join(dataset.notes)
    assert "Resampled to 16,000 Hz: 1 from 44,100 Hz, 1 from 8,000 Hz" in said
    assert "Mixed to one channel: 1 file" in said
    assert open_waveforms(folder, options=options(length=400, rate=2_000)).spec.rate == 2_000


def test_a_rate_below_the_default_is_kept(sounds, options):
    folder = sounds({"a.wav": (8_000, sine(0.5, rate=8_000))})
    dataset = open_waveforms(folder, options=options())
    assert (dataset.spec.rate, dataset.spec.shape) == (8_000, (1, 4096))
    decided = options().as_opened(dataset.spec)
    assert (decided.rate, decided.length) == (8_000, 4096)


def test_silence_is_left_out_and_values_beyond_the_range_are_clipped_and_both_are_said(sounds, options):
    folder = sounds({"a.wav": (RATE, sine(0.1, peak=3.0)), "b.wav": (RATE, np.zeros(999, np.int16))})
    dataset = open_waveforms(folder, options=options(length=1600))
    assert len(dataset) == 1
    assert float(dataset.real(np.array([0])).abs().max()) <= 1
    said = " ".join(dataset.notes)
    assert "Left out because silent, below -60 dB: 1 file (b.wav)." in said
    assert "Clipped to [-1, 1]: 1 file" in said


WHOLE = (RATE, (sine(0.1) * 32767).astype(np.int16))


def cut_short(tmp_path):
    wavfile.write(tmp_path / "whole.wav", *WHOLE)
    return (tmp_path / "whole.wav").read_bytes()[:1000]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is empty"),
        (b"<html>this is no sound</html>", "is no sound that can be read"),
        ((RATE, np.array([0.5, np.nan, 0.1], np.float32)), "holds values that are not finite numbers"),
        ((RATE, np.array([0.5, np.inf, 0.1], np.float32)), "holds values that are not finite numbers"),
        ((RATE, np.zeros(0, np.int16)), "holds no samples"),
        (b"RIFF\x00\x00\x00\x00WAVEjunkjunk", "cannot be decoded"),
        ((RATE, sine(0.1) * np.float32(32767)), "holds values up to 16,383.5, and those of a file of floats"),
        (None, "is cut short"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_or_skipped(sounds, options, tmp_path, content, why):
    bad = cut_short(tmp_path) if content is None else content
    folder = sounds({"bad.wav": bad, "good.wav": WHOLE})
    with pytest.raises(InputError, match=f"1 of 2 sounds in .* cannot be used: bad.wav {why}.*--corrupt skip"):
        open_waveforms(folder, options=options(length=1024))
    dataset = open_waveforms(folder, options=options(length=1024, corrupt="skip"))
    assert len(dataset) == 1
    assert any("Skipped as corrupt: 1 sound" in note for note in dataset.notes)
    assert why in check(folder, options()).corrupt["bad.wav"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"a.txt": b"x"}, "has no sounds \\(it holds .txt files\\): expected wav, flac"),
        ({"a.m4a": b"x"}, "1 sound of a form that is not read \\(.m4a\\): convert to WAV"),
        ({"a.wav": (RATE, np.zeros(999, np.int16))}, "No sound in .* all are silent, below -60 dB"),
    ],
)
def test_folders_without_sounds_are_refused(sounds, options, files, why):
    with pytest.raises(InputError, match=why):
        open_as([Waveforms], sounds(files), options=options())


def test_a_window_that_is_silent_is_no_sound_and_that_is_said(sounds, options):
    late = np.concatenate([np.zeros(2_000, np.float32), sine(0.1)])
    folder = sounds({"late.wav": (RATE, late)})
    with pytest.raises(InputError, match="every window is silent, below -60 dB; leave out --fit pad"):
        open_waveforms(folder, options=options(length=1024, fit="pad"))
    sounds({"b.wav": WHOLE})
    dataset = open_waveforms(folder, options=options(length=1024, fit="pad"))
    assert len(dataset) == 1
    assert "Left out because every window of theirs is silent: 1 file (late.wav)." in dataset.notes


@pytest.mark.parametrize(("riff", "data"), [(0, 0), (36, 0), (0xFFFF_FFFF, 0xFFFF_FFFF)])
@pytest.mark.parametrize("more", [b"", b"\x01"])
def test_a_recording_that_was_never_closed_is_read_to_its_end(sounds, options, tmp_path, riff, data, more):
    wavfile.write(tmp_path / "whole.wav", *WHOLE)
    content = bytearray((tmp_path / "whole.wav").read_bytes())
    content[4:8], content[40:44] = riff.to_bytes(4, "little"), data.to_bytes(4, "little")
    dataset = open_waveforms(sounds({"a.wav": bytes(content) + more}), options=options(length=1600))
    assert dataset.real(np.array([0]))[0, 0].numpy() == pytest.approx(sine(0.1), abs=1e-4)


def test_an_empty_recording_with_a_comment_behind_is_empty(sounds, options, tmp_path):
    wavfile.write(tmp_path / "none.wav", RATE, np.zeros(0, np.int16))
    content = bytearray((tmp_path / "none.wav").read_bytes() + b"LIST\x0a\x00\x00\x00INFOabcdef")
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    with pytest.raises(InputError, match=r"a\.wav holds no samples"):
        open_waveforms(sounds({"a.wav": bytes(content)}), options=options(length=1024))


def test_an_empty_folder_and_one_that_is_not_there_are_refused(tmp_path, options):
    with pytest.raises(InputError, match="has no sounds, and is empty"):
        open_as([Waveforms], tmp_path, options=options())
    with pytest.raises(InputError, match="There is no file or folder"):
        open_as([Waveforms], tmp_path / "nowhere", options=options())


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"size": "32"}, "tones is made of sounds: leave out --size 32"),
        ({"rate": 10}, "--rate 10 is not possible: give a number from 1,000 to 192,000"),
        ({"length": 3}, "--length 3 is not possible"),
        ({"labels": "a.csv"}, "tones has labels of its own"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, asked, why):
    with pytest.raises(InputError, match=why):
        open_as([Waveforms], "tones", options=options(**asked))


def test_settings_of_sounds_are_refused_by_images(options):
    with pytest.raises(InputError, match="digits is made of images: leave out --rate 8000"):
        open_data("digits", options=options(rate=8000))
    with pytest.raises(InputError, match="digits is made of images, and this recipe trains on sounds"):
        open_as([Waveforms], "digits", options=options())


def test_flac_is_read_by_the_extra_and_its_absence_is_a_sentence(tmp_path, options, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", sine(0.1), RATE, subtype="PCM_16")
    dataset = open_waveforms(tmp_path, options=options(length=1600))
    assert dataset.real(np.array([0]))[0, 0].numpy() == pytest.approx(sine(0.1), abs=1e-4)
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(InputError, match="needs the extra audio: type `pip install zerosum\\[audio\\]`"):
        open_waveforms(tmp_path, options=options(length=800))


def test_sounds_left_out_for_lack_of_the_extra_are_read_once_it_is_there(tmp_path, sounds, options, monkeypatch):
    soundfile = pytest.importorskip("soundfile")
    folder = sounds({"a.wav": WHOLE})
    soundfile.write(folder / "b.flac", WHOLE[1], RATE, subtype="PCM_16")
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "soundfile", None)
        assert len(open_waveforms(folder, options=options(length=1024, fit="pad", corrupt="skip"))) == 1
    assert len(open_waveforms(folder, options=options(length=1024, fit="pad", corrupt="skip"))) == 2


def test_tones_are_the_same_every_time_and_their_splits_differ():
    waves, labels = tones("train", length=256)
    again, _ = tones("train", length=256)
    other, _ = tones("test", length=256)
    assert np.array_equal(waves, again)
    assert not np.array_equal(waves[:600], other)
    assert np.bincount(labels).tolist() == [100] * len(CLASSES)
    assert np.abs(waves).max(1).min() >= 0.4
    assert np.abs(waves).max() <= 0.9001
    with pytest.raises(NoSuchSplit):
        tones("val")


def test_labels_come_from_a_table(sounds, options):
    folder = sounds({"a.wav": WHOLE, "b.wav": WHOLE})
    (folder / "labels.csv").write_text("file,label\na.wav,high\nb.wav,low\n")
    dataset = open_waveforms(folder, options=options(length=1024, labels=str(folder / "labels.csv")))
    assert dataset.spec.classes == ("high", "low")


def test_sounds_are_looked_over(sounds, options):
    folder = sounds({"x/a.wav": WHOLE, "x/b.wav": WHOLE, "y/c.wav": (8_000, sine(1.0, rate=8_000))})
    report = check(folder, options())
    assert (report.samples, report.classes, report.shape) == (3, {"x": 2, "y": 1}, (1, 16_384))
    assert report.duplicates == (("x/a.wav", "x/b.wav"),)
    assert any("Files last from 0.1 to 1 s" in note for note in report.notes)
    assert check("tones", options()).samples == 1_200
