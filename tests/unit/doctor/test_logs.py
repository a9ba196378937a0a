"""Logs of other programs: tables, JSON lines, printed lines, TensorBoard's events; and what is no log."""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zerosum.doctor import log_files
from zerosum.doctor.logs import Log, is_log, read_log
from zerosum.errors import InputError


def read(name: str, content: str | bytes, *given: str) -> Log:
    path = Path(name)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_log(path, given)


def rows(log: Log) -> list[dict[str, Any]]:
    return log.history.rows


TWO = [{"round": 1, "discriminator/loss": 0.5}, {"round": 2, "discriminator/loss": 0.25}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "epoch,d_loss\n1,0.5\n2,0.25\n"),
        ("a.csv", "# made by hand\n# epoch,d_loss\n1,0.5\n2,0.25\n"),
        ("a.csv", "epoch;d_loss\r\n1;0,5\r\n2;0,25\r\n"),
        ("a.csv", "sep=;\r\nepoch;d_loss\r\n1;0,5\r\n2;0,25\r\n"),
        ("a.csv", '"epoch" , "d_loss" \n\n1, 0.5\n\n2, 0.25\n'),
        ("a.csv", "\ufeffepoch,d_loss\n1,0.5\n2,0.25\n"),
        ("a.csv", "epoch,d_loss\n1,0.5\n2,0.25\n".encode("utf-16")),
        ("a.csv", "epoch,d_loss,stra\xdfe\n1,0.5,x\n2,0.25,y\n".encode("latin-1")),
        ("a.tsv", "epoch\td_loss\n1\t0.5\n2\t0.25\n"),
        ("a.jsonl", '{"epoch": 1, "losses": {"D": 0.5}}\n{"epoch": 2, "losses": {"D": 0.25}, "ok": true}\n'),
        ("a.log", "start\nEpoch 1/9 [D loss: 0.5]\nEpoch 2/9 [D loss: 0.25]\ndone: yes\n"),
        ("a.txt", "1 [D loss: 0.5]\n2 [D loss: 2.5e-1]\n"),
        ("a.txt", "step=1 loss_D=0.5\nstep=2 loss_D=.25\n"),
    ],
)
def test_each_form_of_log_is_read(name: str, content: str | bytes) -> None:
    assert rows(read(name, content)) == TWO


def test_printed_lines_of_the_examples_are_read() -> None:
    log = read("a.log", "[3/25][100/782] Loss_D: 0.6 Loss_G: 2.1 D(x): 0.7 D(G(z)): 0.2 / 0.1\n")
    assert rows(log) == [
        {
            "round": 3 * 782 + 100,
            "discriminator/loss": 0.6,
            "generator/loss": 2.1,
            "discriminator/real_probability": 0.7,
            "discriminator/fake_probability": 0.2,
        }
    ]
    keras = read("b.log", "Epoch 12 [D loss: 0.53, acc.: 75.00%] [G loss: nan]\n")
    assert rows(keras)[0]["discriminator/accuracy"] == 0.75
    assert math.isnan(rows(keras)[0]["generator/loss"])
    sides = read("c.log", "7 [D loss: (0.2)(R 0.1, F 0.3)] [D acc: (0.94)(0.93, 0.95)] [G loss: 9.3]\n")
    assert rows(sides)[0] == {
        "round": 7,
        "discriminator/loss": 0.2,
        "discriminator/real_loss": 0.1,
        "discriminator/fake_loss": 0.3,
        "discriminator/accuracy": 0.94,
        "discriminator/real_accuracy": 0.93,
        "discriminator/fake_accuracy": 0.95,
        "generator/loss": 9.3,
    }


def test_whether_a_row_is_an_epoch_is_known_where_the_log_says_so() -> None:
    assert read("a.csv", "epoch,d_loss\n1,2\n").epochs is True
    assert read("a.csv", "step,d_loss\n1,2\n").epochs is False
    assert read("a.csv", "d_loss\n1\n").epochs is None
    assert read("a.log", "1 [D loss: 0.5]\n").epochs is None


def test_nan_stays_and_what_is_missing_does_not() -> None:
    found = rows(read("a.csv", "step,d_loss,g_loss\n1,nan,\n2,inf,1\n"))
    assert math.isnan(found[0]["discriminator/loss"])
    assert "generator/loss" not in found[0]
    assert found[1] == {"round": 2, "discriminator/loss": math.inf, "generator/loss": 1.0}


def test_the_finest_counter_that_rises_counts_the_rounds() -> None:
    assert [row["round"] for row in rows(read("a.csv", "epoch,step,d_loss\n1,10,1\n1,20,1\n"))] == [10, 20]
    log = read("a.csv", "epoch,step,d_loss\n1,1,1\n2,1,1\n")
    assert [row["round"] for row in rows(log)] == [1, 2]
    assert log.read_as["epoch"] == "round"
    log = read("a.csv", "step,d_loss\n5,1\n5,1\n")
    assert ([row["round"] for row in rows(log)], len(log.notes)) == ([1, 2], 1)
    assert "step does not rise" in log.notes[0]
    assert "the number of the row" in read("a.csv", "d_loss\n1\n2\n").notes[0]
    assert [row["round"] for row in rows(read("a.csv", "when,d_loss\n7,1\n8,1\n", "when=round"))] == [7, 8]


def test_accuracies_up_to_100_are_percentages() -> None:
    log = read("a.csv", "epoch,d_acc,real_acc\n1,60,0.5\n2,99,1\n")
    assert rows(log)[1] == {"round": 2, "discriminator/accuracy": 0.99, "discriminator/real_accuracy": 1.0}
    assert log.notes == ("Read as percentages: d_acc.",)


def test_an_accuracy_a_rounding_error_above_one_is_no_percentage() -> None:
    log = read("a.csv", "epoch,d_acc\n1,0.5\n2,1.0000001\n")
    assert [row["discriminator/accuracy"] for row in rows(log)] == [0.5, 1.0000001]


def test_damaged_lines_are_counted() -> None:
    assert read("a.jsonl", '{"step": 1, "d_loss": 1}\n[\n3\n').notes == ("Left out: 2 lines without a JSON object.",)
    assert read("a.csv", "step,d_loss\n1,1\n2\n").notes == (
        "Left out: 1 line with more or fewer cells than the header.",
    )


def test_long_logs_are_averaged_and_nan_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "MOST_ROWS", 8)
    lines = [f"{step},{'nan' if step == 21 else step}" for step in range(1, 33)]
    log = read("a.csv", "step,d_loss\n" + "\n".join(lines))
    assert len(rows(log)) <= 8
    assert sum(math.isnan(row["discriminator/loss"]) for row in rows(log)) == 1
    assert log.notes == ("The log is long: each point is the mean of 8 rows.",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", b"\x00\x01\x02\x03", "is no text"),
        ("a.csv", "name,kind\na,b\n", "holds no measurements"),
        ("a.csv", "x,y\n1,2\n", "No column of a.csv is understood (x, y)"),
        ("a.csv", "0.5,0.4\n0.3,0.2\n", "column 1, column 2"),
        ("a.csv", "epoch\n1\n", "is understood"),
        ("a.csv", "x" * 70_000, "a line of more than 65,536 characters"),
        ("a.csv", ",".join(f"c{i}" for i in range(1_200)) + "\n" + ",".join("1" * 1_200), "more than 1,000 columns"),
        ("a.jsonl", "[" * 50_000, "holds no measurements"),
        ("a.log", "nothing here\n", "holds no measurements"),
        ("events.out.tfevents.1", b"garbage of some length", "holds no scalars"),
        ("events.out.tfevents.2", b"", "is empty"),
    ],
)
def test_what_is_no_log_is_refused_in_a_sentence(name: str, content: str | bytes, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read(name, content)
    assert said in str(refused.value)


def test_a_huge_log_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LARGEST", 10)
    for name in ("a.csv", "events.out.tfevents.1"):
        with pytest.raises(InputError, match="give a part of it"):
            read(name, "step,d_loss\n1,2\n")


@given(st.binary(max_size=200), st.sampled_from([".csv", ".tsv", ".jsonl", ".log"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes, ending: str) -> None:
    path = Path(f"any{ending}")
    path.write_bytes(b"d_loss,step\n" + content)
    try:
        log = read_log(path)
    except InputError:
        return
    assert all("round" in row for row in rows(log))


def event_file(path: Path, *events: Any) -> Path:
    from tensorboard.summary.writer.record_writer import RecordWriter

    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in events:
            writer.write(event.SerializeToString())
        writer.flush()
    return path


def test_event_files_are_read_as_tags_by_step() -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto

    def of(step: int, **values: Any) -> Event:
        return Event(step=step, summary=Summary(value=[Summary.Value(tag=t, **v) for t, v in values.items()]))

    huge = TensorShapeProto(dim=[TensorShapeProto.Dim(size=2**40)])
    claimed = {"tensor": TensorProto(dtype=1, float_val=[1], tensor_shape=huge)}
    folder = Path("logs")
    folder.mkdir()
    event_file(
        folder / "events.out.tfevents.1",
        Event(file_version="brain.Event:2"),
        of(1, **{"Loss/D": {"simple_value": 0.5}, "weights": claimed}),
        of(2, **{"Loss/D": {"simple_value": 0.25}, "g_loss": {"tensor": TensorProto(dtype=1, float_val=[2.0])}}),
    )
    for place in (folder, folder / "events.out.tfevents.1"):
        assert is_log(place)
        assert rows(read_log(place)) == [TWO[0], TWO[1] | {"generator/loss": 2.0}]


def test_an_event_file_cut_short_is_read_up_to_there() -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    events = [Event(step=s, summary=Summary(value=[Summary.Value(tag="d_loss", simple_value=s)])) for s in (1, 2)]
    path = event_file(Path("events.out.tfevents.1"), *events)
    path.write_bytes(path.read_bytes()[:-5] + struct.pack("<Q", 2**60))
    assert rows(read_log(path)) == [{"round": 1, "discriminator/loss": 1.0}]


def test_a_pipe_is_not_waited_for() -> None:
    import os

    os.mkfifo("pipe.csv")
    with pytest.raises(InputError, match="is no file"):
        read_log(Path("pipe.csv"))
