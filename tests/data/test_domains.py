"""Two domains: where they lie, one shape for both, and walks apart."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch

from zerosum.data.batch import Domains, Images
from zerosum.data.jitter import Jitter
from zerosum.data.stream import Stream
from zerosum.errors import InputError
from zerosum.kinds import open_as


def opened(source, options, **asked):
    return open_as((Domains,), source, options=options(**asked))


@pytest.fixture
def levels(folder):
    """Five images of domain A that carry 0 to 4, seven of domain B that carry 100 to 106."""
    names = [("trainA", 0, 5), ("trainB", 100, 7), ("testA", 50, 2), ("testB", 60, 3)]
    return folder(
        {
            f"{top}/{number}.png": np.full((8, 8), first + number, dtype=np.uint8)
            for top, first, count in names
            for number in range(count)
        }
    )


def walk(dataset, batches, **where):
    stream = Stream(dataset, seed=3, **where)
    drawn = [stream.draw(batch) for batch in batches]
    stream.close()
    return tuple(torch.cat([getattr(batch, side)[:, 0, 0, 0] for batch in drawn]).tolist() for side in "ab")


def test_the_folders_of_a_split_are_the_domains(levels, options):
    domains = opened(levels, options)
    assert domains.lengths == (5, 7)
    assert len(domains) == 7
    assert opened(levels, options, split="test").lengths == (2, 3)
    assert "Domain A has 5 images, domain B 7" in domains.notes[0]


def test_each_domain_is_shown_whole_at_its_own_length(levels, options):
    a, b = walk(opened(levels, options), [35])
    for start in range(0, 35, 5):
        assert sorted(a[start : start + 5]) == [0, 1, 2, 3, 4]
    for start in range(0, 35, 7):
        assert sorted(b[start : start + 7]) == list(range(100, 107))


def test_the_two_are_shuffled_apart(folder, options):
    same = {f"{side}/{n}.png": np.full((4, 4), n, dtype=np.uint8) for side in ("a", "b") for n in range(40)}
    a, b = walk(opened(folder(same), options), [40])
    assert a != b
    assert sorted(a) == sorted(b)


def test_the_order_depends_on_the_position_alone(levels, options):
    domains = opened(levels, options)
    whole = walk(domains, [30])
    pieces = walk(domains, [2, 9, 1], position=11)
    assert pieces == tuple(side[11:23] for side in whole)


def test_two_processes_draw_the_halves_of_what_one_would(levels, options):
    domains = opened(levels, options)
    whole = walk(domains, [8])
    halves = [walk(domains, [8], rank=rank, world=2) for rank in (0, 1)]
    assert tuple(halves[0][side] + halves[1][side] for side in (0, 1)) == whole


def test_each_domain_has_a_crop_of_its_own(folder, options, noise):
    image = noise(16, 16, 3)
    domains = opened(folder({"a/x.png": image, "b/x.png": image}), options)
    stream = Stream(domains, seed=0, jitter=Jitter(enlarge=1.5))
    batch = stream.draw(4)
    stream.close()
    assert all(not torch.equal(one, other) for one, other in zip(batch.a, batch.b, strict=True))


def test_the_direction_swaps_the_domains(levels, options):
    forth, back = opened(levels, options), opened(levels, options, direction="BtoA")
    assert back.lengths == (7, 5)
    rows = np.arange(5)
    assert torch.equal(forth.batch(rows).a, back.batch(rows).b)


def test_both_get_one_shape(folder, options):
    root = folder({"horses/a.png": (40, 40), "zebras/b.png": (30, 50, 3)})
    domains = opened(root, options)
    batch = domains.batch(np.arange(3))
    assert batch.a.shape == batch.b.shape == (3, 3, 64, 64)
    assert domains.spec.shape == domains.spec.source_shape == (3, 64, 64)
    assert any(note.startswith("A, horses: Gray made RGB") for note in domains.notes)


def test_any_two_folders_will_do_in_alphabetical_order(folder, options):
    root = folder({"zebras/a.png": np.full((8, 8), 9, np.uint8), "horses/a.png": np.full((8, 8), 5, np.uint8)})
    assert opened(root, options).batch(np.arange(1)).a.unique().tolist() == [5]


def test_two_places_will_do(folder, options):
    one, other = folder({"a.png": (8, 8)}, "one"), folder({f"{n}.png": (8, 8) for n in range(3)}, "other")
    assert opened(one, options, target=str(other)).lengths == (1, 3)


def test_an_archive_will_do(levels, options, tmp_path):
    with zipfile.ZipFile(tmp_path / "levels.zip", "w") as archive:
        for path in levels.rglob("*.png"):
            archive.write(path, f"set/{path.relative_to(levels)}")
    assert opened(tmp_path / "levels.zip", options).lengths == (5, 7)


def test_an_empty_domain_is_named(folder, options):
    root = folder({"trainA/a.png": (8, 8), "testB/a.png": (8, 8)})
    with pytest.raises(InputError, match="images in trainA but none in trainB"):
        opened(root, options)
    (root / "empty").mkdir()
    with pytest.raises(InputError, match="has no images"):
        opened(root / "trainA", options, target=str(root / "empty"))


@pytest.mark.parametrize("files", [("a.png",), ("one/a.png",), ("one/a.png", "two/a.png", "three/a.png")])
def test_folders_that_are_not_two_domains_are_refused(folder, options, files):
    with pytest.raises(InputError, match="not two domains: expected trainA and trainB"):
        opened(folder(dict.fromkeys(files, (8, 8))), options)


def test_a_split_that_is_not_there_is_refused_with_those_that_are(levels, options):
    with pytest.raises(InputError, match="no split val: choose --split test or train"):
        opened(levels, options, split="val")


def test_what_only_translations_need_is_refused_elsewhere(levels, options):
    for asked in ({"target": "x"}, {"degrade": "gray"}, {"direction": "BtoA"}):
        with pytest.raises(InputError, match=r"is made of images: leave out --(target|degrade|direction)"):
            open_as((Images,), levels, options=options(**asked))
    with pytest.raises(InputError, match="makes pairs"):
        opened(levels, options, degrade="gray")


def test_what_is_packed_is_opened_again_without_a_look_at_the_files(levels, options, monkeypatch):
    first = opened(levels, options)
    monkeypatch.setattr("zerosum.data.two_sided.survey", None)
    again = opened(levels, options)
    assert isinstance(again.samples, np.memmap)
    assert again.fingerprint == first.fingerprint
