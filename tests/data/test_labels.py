import unicodedata
import zipfile

import numpy as np
import pytest

from zerosum.data.sources.label_table import read_table
from zerosum.data.sources.labels import natural
from zerosum.errors import InputError
from zerosum.kinds import open_data


def test_class_folders_give_labels_in_natural_order(folder, options):
    names = ("10/a.png", "9/a.png", "9/deep/b.png", "10/b.png")
    data = open_data(folder(dict.fromkeys(names, (16, 16))), options=options())
    assert data.spec.classes == ("9", "10")
    assert data.labels.tolist() == [1, 1, 0, 0]
    assert data.labels.dtype == np.int64
    assert "Labels are the names of the 2 folders." in data.notes


def test_labels_are_not_taken_where_images_lie_outside_the_folders_unless_asked(folder, options):
    root = folder(dict.fromkeys(("cat/a.png", "dog/a.png", "b.png"), (16, 16)))
    data = open_data(root, options=options())
    assert data.labels is None
    assert "outside the 2 folders lies 1 image." in " ".join(data.notes)
    with pytest.raises(InputError, match="no folder of class folders"):
        open_data(root, options=options(labels="folders"))
    assert open_data(root / "cat", options=options()).labels is None


def test_labels_can_be_declined(folder, options):
    root = folder(dict.fromkeys(("cat/a.png", "dog/a.png"), (16, 16)))
    assert open_data(root, options=options()).spec.classes == ("cat", "dog")
    assert open_data(root, options=options(labels="none")).spec.classes == ()


@pytest.mark.parametrize(
    "content", ["file,label\na.png,cat\nsub/b.png,dog\n", "\ufefflabel,file\r\ncat,a.png\r\ndog,b.png\r\n"]
)
def test_labels_come_from_a_table(folder, options, tmp_path, content):
    root = folder({"a.png": (16, 16), "sub/b.png": (16, 16)})
    for table in (tmp_path / "labels.csv", root / "inside.csv"):
        table.write_text(content, encoding="utf-8")
        data = open_data(root, options=options(labels=table.name if table.parent == root else str(table)))
        assert data.spec.classes == ("cat", "dog")
        assert data.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("file,label\na.png,cat\n", "1 of 2 images lack a label"),
        ("file,label\na.png,cat\nb.png,dog\nc.png,cow\n", r"labels 1 file not in .*such as c.png"),
        ("name,class\na.png,cat\n", "has the columns name, class: expected file and label"),
        ("file,label,label\na.png,cat,1\nb.png,dog,2\n", "labels.csv has several columns called label: rename those"),
        ("file,Label,File\na.png,cat,1\n", "labels.csv has several columns called file"),
        ("file,label\na.png,cat\nb.png,\n", "Line 3 of .* lacks a file or a label"),
        ("file,label\na.png,cat\na.png,dog\nb.png,dog\n", "gives a.png two labels"),
        ("", "has the columns none"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(folder, options, content, sentence):
    root = folder({"a.png": (16, 16), "b.png": (16, 16), "labels.csv": content.encode()})
    with pytest.raises(InputError, match=sentence):
        open_data(root, options=options(labels="labels.csv"))


def test_a_column_that_is_there_twice_may_be_so_where_it_is_not_read(folder, options):
    root = folder({"a.png": (16, 16), "labels.csv": b"file,label,note,note\na.png,cat,1,2\n"})
    assert open_data(root, options=options(labels="labels.csv")).spec.classes == ("cat",)


LINES = b'{"file_name": "a.png", "label": 10}\n{"file_name": "b/c.png", "label": 9, "text": "x"}\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [("metadata.jsonl", LINES), ("metadata.csv", b"file_name,label\na.png,10\nb/c.png,9\n")],
)
def test_metadata_of_an_image_folder_labels_it(folder, options, name, content):
    root = folder({"train/a.png": (16, 16), "train/b/c.png": (16, 16), "test/d.png": (16, 16)})
    (root / "train" / name).write_bytes(content)
    (root / "test" / name).write_bytes(
        b'{"file_name": "d.png", "label": 7}' if name[-1] == "l" else b"file,label\nd.png,7"
    )
    data = open_data(root, options=options())
    assert (data.spec.classes, data.labels.tolist()) == (("7", "9", "10"), [2, 1])
    assert f"Labels were read from train/{name}." in data.notes
    held_out = open_data(root, options=options(split="test"))
    assert (held_out.spec.classes, held_out.labels.tolist()) == (data.spec.classes, [0])
    assert open_data(root, options=options(labels="none")).labels is None
    (root / "train" / name).write_bytes(content.replace(b"10", b"11"))
    assert open_data(root, options=options()).spec.classes == ("7", "9", "11")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (LINES, "1 of 2 images lack a label in metadata.jsonl .such as d.png.: complete it, or give --labels none"),
        (LINES.replace(b"10", b'["x"]'), "Line 1 of metadata.jsonl gives a.png several labels at once"),
        (LINES.replace(b"10", b"null"), "Line 1 of metadata.jsonl lacks a file or a label"),
    ],
)
def test_metadata_that_do_not_fit_are_refused(folder, options, content, sentence):
    root = folder({"a.png": (16, 16), "d.png": (16, 16), "metadata.jsonl": content})
    with pytest.raises(InputError, match=sentence):
        open_data(root, options=options())


@pytest.mark.parametrize(
    "content", [b"no JSON", b'{"file_name": "z.png", "label": 1}', b'{"file_name": "x/a.png"}', b"\xff"]
)
def test_metadata_without_labels_of_the_images_leave_the_folders_in_force(folder, options, content):
    root = folder({"x/a.png": (16, 16), "y/b.png": (16, 16), "metadata.jsonl": content})
    assert open_data(root, options=options()).spec.classes == ("x", "y")


@pytest.mark.parametrize("labels", [None, "name"])
def test_a_class_that_another_split_gets_later_has_its_number_in_all(folder, options, labels):
    files = {f"{split}/{name}/{name}1.png": (16, 16) for split in ("train", "test") for name in ("ant", "cow")}
    root = folder(files)
    assert open_data(root, options=options(labels=labels)).labels.tolist() == [0, 1]
    folder({"test/bee/bee1.png": (16, 16)})
    data = open_data(root, options=options(labels=labels))
    assert (data.spec.classes, data.labels.tolist()) == (("ant", "bee", "cow"), [0, 2])


def test_lines_of_json_are_a_table_of_labels(folder, options, tmp_path):
    root = folder({"a.png": (16, 16), "b.png": (16, 16)})
    table = tmp_path / "mine.jsonl"
    table.write_text(
        '{"image": "a.png", "smiling": true, "kind": "x"}\n{"image": "b.png", "smiling": false, "kind": "y"}\n'
    )
    assert open_data(root, options=options(labels=f"{table}:kind")).spec.classes == ("x", "y")
    assert open_data(root, options=options(labels=f"{table}:smiling")).labels.tolist() == [1, 0]


def test_a_table_that_is_not_there_is_refused(folder, options):
    with pytest.raises(InputError, match=r"--labels nowhere\.csv is neither a file"):
        open_data(folder({"a.png": (16, 16)}), options=options(labels="nowhere.csv"))


def test_a_change_of_the_table_is_noticed(folder, options):
    root = folder({"a.png": (16, 16), "b.png": (16, 16), "labels.csv": b"file,label\na.png,x\nb.png,y\n"})
    first = open_data(root, options=options(labels="labels.csv"))
    (root / "labels.csv").write_bytes(b"file,label\na.png,y\nb.png,x\n")
    second = open_data(root, options=options(labels="labels.csv"))
    assert first.labels.tolist() == second.labels.tolist()[::-1]
    assert first.fingerprint != second.fingerprint


def test_a_class_that_a_split_lacks_keeps_its_number(folder, options, tmp_path, noise):
    names = ("train/cat/a.png", "train/dog/a.png", "test/dog/a.png", "test/eel/a.png")
    root = folder(dict.fromkeys(names, (16, 16)))
    train, test = open_data(root, options=options()), open_data(root, options=options(split="test"))
    assert train.spec.classes == test.spec.classes == ("cat", "dog", "eel")
    assert test.labels.tolist() == [1, 2]
    arrays = {"x_train": noise(3, 8, 8), "y_train": np.arange(3), "x_test": noise(1, 8, 8), "y_test": np.array([2])}
    np.savez(tmp_path / "a.npz", **arrays)
    test = open_data(tmp_path / "a.npz", options=options(split="test"))
    assert test.spec.classes == ("0", "1", "2")
    assert test.labels.tolist() == [2]


@pytest.mark.parametrize(
    "content",
    [
        "file;label\r\na.png;cat\r\nsub/b.png;dog\r\n",
        "File\tLABEL\na.png\tcat\nsub/b.png\tdog\n",
        "file, label, note\n a.png, cat, x\nsub\\b.png , dog\n\n , ,\n",
        '"Image Path";"x"\n',
        "label|filename\ncat|./a.png\ndog|b.png\n",
        'file,label\n"a.png","cat"\n"sub/b.png","dog"\n',
        "sep=;\r\nfile;label\r\na.png;cat\r\nsub/b.png;dog\r\n",
        '\n"sep=^"\nfile^label\na.png^cat\nsub/b.png^dog\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_tables_as_spreadsheets_write_them_are_read(folder, options, content, encoding):
    root = folder({"a.png": (8, 8), "sub/b.png": (8, 8), "labels.csv": content.encode(encoding)})
    if "Image Path" in content:
        with pytest.raises(InputError, match="has the columns Image Path, x: expected file and label"):
            open_data(root, options=options(labels="labels.csv"))
        return
    data = open_data(root, options=options(labels="labels.csv"))
    assert (data.spec.classes, data.labels.tolist()) == (("cat", "dog"), [0, 1])


def test_the_column_of_labels_can_be_named(folder, options, tmp_path):
    table = b"file,label,Breed of cat\na.png,x,siamese\nb.png,x,birman\n"
    root = folder({"a.png": (8, 8), "b.png": (8, 8), "t.csv": table})
    (tmp_path / "t.csv").write_bytes(table)
    for asked in ("t.csv:breed of cat", f"{tmp_path / 't.csv'}:Breed of cat"):
        data = open_data(root, options=options(labels=asked))
        assert [data.spec.classes[label] for label in data.labels] == ["siamese", "birman"]
        assert open_data(root, options=options(labels=asked).located()).fingerprint == data.fingerprint
    with pytest.raises(InputError, match=r"expected file and colour in its first line; --labels t\.csv:COLUMN names"):
        open_data(root, options=options(labels="t.csv:colour"))


def test_a_table_inside_the_data_keeps_its_name_in_a_run(folder, options, tmp_path):
    root = folder({"a.png": (8, 8), "sub/inside.csv": b"file,label\na.png,x\n"})
    (tmp_path / "outside.csv").write_bytes(b"file,label\na.png,y\n")
    assert options(labels="sub/inside.csv").located().labels == "sub/inside.csv"
    assert options(labels="outside.csv").located().labels == str(tmp_path / "outside.csv")
    for asked, label in (("sub/inside.csv", "x"), ("outside.csv", "y")):
        assert open_data(root, options=options(labels=asked).located()).spec.classes == (label,)


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
@pytest.mark.parametrize("written", ["NFC", "NFD"])
def test_names_are_compared_whatever_form_their_accents_have(folder, options, stored, written):
    names = [unicodedata.normalize(stored, name) for name in ("Ångström.png", "Zoë/cafe\u0301.png")]
    rows = "".join(f"{unicodedata.normalize(written, name)},{i}\n" for i, name in enumerate(names))
    root = folder(dict.fromkeys(names, (8, 8)) | {"l.csv": f"file,label\n{rows}".encode()})
    assert sorted(open_data(root, options=options(labels="l.csv")).labels.tolist()) == [0, 1]


def test_long_numbers_as_labels_are_sorted_by_their_value():
    assert sorted(["1" * 5000, "2", "010", "²"], key=natural) == ["2", "010", "1" * 5000, "²"]


@pytest.mark.parametrize(
    "content", [b"file,label\na.png,caf\xe9\n", b"\x00\x01\x02", b'file,label\n"a.png', b"\xff\xfe\x00"]
)
def test_a_table_that_is_none_is_refused_in_a_sentence(folder, options, content):
    root = folder({"a.png": (8, 8), "b.png": (8, 8), "l.csv": content})
    with pytest.raises(InputError):
        open_data(root, options=options(labels="l.csv"))


def test_a_damaged_table_in_an_archive_is_refused_in_a_sentence(folder, options, tmp_path):
    root = folder({"a.png": (8, 8)})
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.write(root / "a.png", "a.png")
        archive.writestr("labels.csv", "file,label\na.png,x\n")
    content = bytearray((tmp_path / "d.zip").read_bytes())
    content[content.index(b"file,label")] ^= 1
    (tmp_path / "d.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"labels\.csv in .* cannot be read"):
        open_data(tmp_path / "d.zip", options=options(labels="labels.csv"))


def test_columns_with_commas_in_their_names_stand_in_quotes():
    table = b'file,"big, red",small\na.png,1,0\n'
    assert read_table(table, 'a.csv:"Big, red",small').attributes == ("big, red", "small")
    assert read_table(table, "a.csv:big, red").of == {"a.png": "1"}
