"""What folders, links and archives mean: splits and sides by any name, shards and litter as what they are."""

import io
import json
import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from zerosum.data.batch import Domains, Pairs
from zerosum.data.check import check
from zerosum.data.sources.splits import are_splits, split_of
from zerosum.errors import InputError
from zerosum.kinds import open_as
from zerosum.kinds import open_data as open_samples
from zerosum.kinds.images import open as open_data


def said(data):
    return " ".join(data.notes)


def png(shade):
    stored = io.BytesIO()
    Image.fromarray(np.full((8, 8), shade, np.uint8)).save(stored, "PNG")
    return stored.getvalue()


@pytest.fixture
def archive(tmp_path):
    """A maker of zips: pairs of a member's name, as it is stored, and its content."""

    def make(members, name="data.zip"):
        with zipfile.ZipFile(tmp_path / name, "w") as file:
            for member, content in members:
                info = zipfile.ZipInfo("x")
                info.filename = member
                file.writestr(info, content)
        return tmp_path / name

    return make


@pytest.mark.parametrize(
    ("train", "other", "asked"),
    [
        ("TRAIN", "Validation", "val"),
        ("training", "Testing", "test"),
        ("Train", "valid", "val"),
        ("train_set", "test-set", "test"),
        ("trainset", "DEV", "dev"),
        ("Training Images", "Test Images", "test"),
    ],
)
def test_splits_go_by_any_of_their_names(folder, options, train, other, asked):
    root = folder({f"{train}/{kind}/{i}.png": (8, 8) for kind in ("no", "yes") for i in range(3)})
    folder({f"{other}/{kind}/9.png": (8, 8) for kind in ("no", "yes")})
    data = open_data(root, options=options())
    assert (len(data), data.spec.classes) == (6, ("no", "yes"))
    for split in (asked, other):
        held_out = open_data(root, options=options(split=split))
        assert (len(held_out), held_out.spec.classes) == (2, ("no", "yes"))


def test_what_lies_beside_splits_belongs_to_none(folder, options):
    names = ("Train/a.png", "Test/b.png", "Test/c.png", "extra/d.png", "extra/e.png", "extra/f.png", "cover.png")
    root = folder(dict.fromkeys(names, (8, 8)))
    data = open_data(root, options=options())
    assert len(data) == 1
    assert "beside the splits are used by --split alone: extra." in said(data)
    assert "beside the folders of splits: 1 image." in said(data)
    assert len(open_data(root, options=options(split="extra"))) == 3


@pytest.mark.parametrize("classes", [("train", "car"), ("trains", "tests"), ("Test drive", "Training wheels")])
def test_classes_that_sound_like_splits_stay_classes(folder, options, classes):
    root = folder({f"{name}/a.png": (8, 8) for name in classes})
    assert set(open_data(root, options=options()).spec.classes) == set(classes)


def test_two_folders_for_one_split_are_asked_about(folder, options):
    root = folder({f"{name}/a.png": (8, 8) for name in ("train", "valid", "Validation")})
    with pytest.raises(InputError, match="several folders for the split val: choose --split Validation or valid"):
        open_data(root, options=options(split="val"))
    assert len(open_data(root, options=options(split="valid"))) == 1


@pytest.mark.parametrize("names", [("trainA", "trainB", "testA", "testB"), ("Train_a", "Train_b", "TEST_A", "TEST_B")])
def test_sides_of_splits_go_by_any_capitals(folder, options, names):
    root = folder(
        {f"{name}/{i}.png": (8, 8, 3) for name, count in zip(names, (3, 3, 2, 2), strict=True) for i in range(count)}
    )
    for kind in (Pairs, Domains):
        assert open_as((kind,), root, options=options()).lengths[-1] == 3
        assert open_as((kind,), root, options=options(split="test")).lengths[-1] == 2
    images = open_data(root, options=options())  # a recipe without sides never learns from the test folders
    assert (len(images), len(images.spec.classes)) == (6, 2)


@pytest.mark.parametrize("layout", ["{split}/{side}", "{side}/{split}"])
def test_splits_within_sides_and_sides_within_splits(folder, options, layout):
    count = {"Training": 3, "Testing": 2}
    for split, number in count.items():
        for side in ("Source", "Target"):
            root = folder({f"top/{layout.format(split=split, side=side)}/{i}.png": (8, 8) for i in range(number)})
    assert open_as((Pairs,), root, options=options()).lengths == (3,)
    assert open_as((Pairs,), root, options=options(split="test")).lengths == (2,)


@pytest.mark.parametrize("form", ["zip", "folder"])
@pytest.mark.parametrize("labels", [[5, 7, 5, 7], None, "absent"])
def test_shards_of_stylegan_are_no_classes(archive, folder, options, form, labels):
    names = [f"0000{i // 2}/img{i:08d}.png" for i in range(4)]
    files = {name: png(i) for i, name in enumerate(names)}
    if labels != "absent":
        pairs = labels and [list(pair) for pair in zip(names, labels, strict=True)]
        files["dataset.json"] = json.dumps({"labels": pairs}).encode()
    data = open_data(archive(files.items()) if form == "zip" else folder(files), options=options())
    assert data.spec.classes == (("5", "7") if labels == [5, 7, 5, 7] else ())
    assert "Left out" not in said(data)
    if labels == [5, 7, 5, 7]:
        assert data.labels.tolist() == [0, 1, 0, 1]


def test_a_dataset_json_that_does_not_fit_is_told(folder, options):
    files = {f"0000{i}/a.png": png(i) for i in range(3)}
    for content, sentence in (
        ({"labels": [["00000/a.png", 1]]}, "2 of 3 images lack a label in dataset.json"),
        ({"labels": [[f"0000{i}/a.png", [0.5, 1.5]] for i in range(3)]}, "no class numbers"),
    ):
        root = folder(files | {"dataset.json": json.dumps(content).encode()})
        with pytest.raises(InputError, match=sentence):
            open_data(root, options=options())
    for content in (b'{"images": [], "annotations": []}', b"[" * 100_000, b"\xff", b'{"labels": 3}'):
        assert open_data(folder({"dataset.json": content}), options=options()).labels is None


def test_a_change_of_the_labels_of_dataset_json_is_noticed(folder, options):
    for labels in ([0, 1], [1, 0]):
        pairs = [[f"{i}.png", label] for i, label in enumerate(labels)]
        root = folder({f"{i}.png": png(i) for i in range(2)} | {"dataset.json": json.dumps({"labels": pairs}).encode()})
        assert open_data(root, options=options()).labels.tolist() == labels


def test_backslashes_in_an_archive_are_slashes(archive, options):
    members = [(f"my pets\\{kind}\\{i}.png", png(i)) for kind in ("cat", "dog") for i in range(2)]
    data = open_data(archive([("my pets\\", b""), *members, ("my pets\\dog\\Thumbs.db", b"x")]), options=options())
    assert data.spec.classes == ("cat", "dog")
    assert "Left out" not in said(data)


def test_of_members_of_one_name_the_last_counts_and_that_is_told(archive, options):
    data = open_data(archive([("a.png", png(1)), ("b.png", png(2)), ("a.png", png(3))]), options=options())
    assert data.samples[:, 0, 0, 0].tolist() == [3, 2]
    assert "1 name in the archive stand for two files or more (such as a.png)" in said(data)
    same = open_data(archive([("a.png", png(1)), ("a.png", png(1))], "same.zip"), options=options())
    assert "two files" not in said(same)


@pytest.mark.parametrize("place", ["@eaDir/a.png", ".thumbnails", "#recycle", "$RECYCLE.BIN", "__macosx", "cat/@EADIR"])
def test_what_programs_leave_behind_is_no_data(folder, archive, options, place):
    files = {"cat/a.png": png(1), f"{place}/SYNOPHOTO_THUMB_M.jpg": png(9)}
    for root in (folder(files), archive(files.items())):
        data = open_data(root, options=options())
        assert len(data) == 1
        assert data.samples.max() == 1


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_folder_of_a_run_is_no_data(folder, archive, options, form):
    run = {"out/r/run.json": b"{}", "out/r/samples/1.png": png(9), "out/r/deep/er/2.png": png(9)}
    files = {"a.png": png(1), "out/b.png": png(1), "out/r2/c.png": png(1)} | run
    data = open_data(folder(files) if form == "folder" else archive(files.items()), options=options())
    assert data.samples[:, 0, 0, 0].tolist() == [1, 1, 1]
    assert "they are runs, not data: out/r." in said(data)


def test_a_run_given_as_data_is_refused_and_a_run_json_of_others_is_not(folder, options):
    mine = b'{"recipe": "dcgan", "data_options": {}}'
    with pytest.raises(InputError, match="is the folder of a run, not of data"):
        open_data(folder({"run.json": mine, "samples/a.png": png(1)}), options=options())
    assert len(open_data(folder({"run.json": b'{"steps": 3}', "a.png": png(1)}, "theirs"), options=options())) == 1


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_followed_unless_they_lead_back(folder, options, tmp_path):
    pool = folder({f"{i}.png": png(i) for i in range(3)}, "pool")
    root = folder({"c/x.png": png(7), "c/deep/y.png": png(8)})
    for name in ("a", "b"):
        os.symlink(pool, root / name)
    for place, target in (("c/up", root), ("c/deep/c", root / "c"), ("c/deep/self", root / "c/deep")):
        os.symlink(target, root / place)
    data = open_data(root, options=options())
    assert (len(data), data.spec.classes) == (8, ("a", "b", "c"))
    pairs = folder({}, "pairs")
    os.symlink(pool, pairs / "A")
    os.symlink(pool, pairs / "B")
    assert len(open_as((Pairs,), pairs, options=options())) == 3


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_to_nowhere_is_one_file_that_cannot_be_read(folder, options):
    root = folder({"a.png": png(1)})
    os.symlink("nobody@nowhere.1", root / ".#lock.png")
    os.symlink("gone.txt", root / "read.me")
    assert len(open_data(root, options=options())) == 1
    os.symlink("gone.png", root / "b.png")
    with pytest.raises(InputError, match=r"b\.png has vanished"):
        open_data(root, options=options())
    assert len(open_data(root, options=options(corrupt="skip"))) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_is_never_waited_for(folder, options, tmp_path):
    root = folder({"a.png": png(1)})
    os.mkfifo(root / "b.png")
    with pytest.raises(InputError, match=r"b\.png is no regular file"):
        open_data(root, options=options())
    assert len(open_data(root, options=options(corrupt="skip"))) == 1
    for name in ("x.npy", "x.npz", "x.zip", "x-images-idx3-ubyte", "labels.csv"):
        os.mkfifo(tmp_path / name)
        source, labels = (root, str(tmp_path / name)) if name == "labels.csv" else (tmp_path / name, None)
        with pytest.raises(InputError):
            open_data(source, options=options(labels=labels, corrupt="skip"))


def test_a_folder_called_like_a_built_in_set_is_not_left_aside_in_silence(folder, options):
    folder({"a.png": png(1)}, "digits")
    folder({"a.png": png(1)}, "ring8")
    for name in ("digits", "ring8"):
        assert f"./{name} names it." in said(open_samples(name, options=options()))
        assert any(f"./{name} names it." in warning for warning in check(name, options()).warnings)
    assert len(open_data("./digits", options=options())) == 1


def test_images_of_forms_that_are_not_read_are_told_with_a_way_out(folder, options):
    root = folder({"a.png": png(1), "b.HEIC": b"x", "c.heic": b"x", "d.dng": b"x"})
    assert "3 images of a form that is not read (HEIC, raw); convert them" in said(open_data(root, options=options()))
    with pytest.raises(InputError, match="convert them to JPEG or PNG first"):
        open_data(folder({"b.heic": b"x"}, "phone"), options=options())


def test_names_of_splits_are_told_from_other_words():
    assert [split_of(name) for name in ("Train", "VALIDATE", "testing", "contest", "")] == [
        "train",
        "val",
        "test",
        None,
        None,
    ]
    assert not are_splits([], alone=True)
