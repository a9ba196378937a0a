import io

import pytest

from zerosum.runtime.progress import Live, Plain, Status, headline, line, make_progress, progress_callback


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def status(at: int = 1200, **changes) -> Status:
    values = {
        "discriminator/loss": 1.213,
        "discriminator/penalty": 0.4,
        "discriminator/real_accuracy": 0.71,
        "discriminator/fake_accuracy": 0.64,
        "generator/loss": 0.832,
    }
    given = {"phase": "main", "seen": 153_600, "images_per_second": 251.4, "seconds_left": 720.0, "values": values}
    return Status(round=at, rounds=20_000, **{**given, **changes})


def test_a_line_says_where_the_run_stands_and_the_values_that_matter():
    assert line(status()) == (
        "round 1200/20000  153,600 images  251 images/s  12 min left  "
        "discriminator 1.21  generator 0.832  real 0.71  fake 0.64"
    )


def test_a_line_names_a_phase_other_than_the_only_one_and_the_unit():
    said = line(status(phase="fade", unit="points", seconds_left=float("inf")))
    assert "phase fade" in said
    assert "153,600 points  251 points/s  time left unknown" in said


def test_accuracies_of_several_discriminators_keep_their_names():
    assert headline({"a/real_accuracy": 0.5, "b/real_accuracy": 0.6}) == {"a real": 0.5, "b real": 0.6}


def test_plain_lines_come_at_intervals_and_at_the_end():
    clock, stream = iter([0.0, 0.0, 4.0, 11.0, 11.0, 12.0]), io.StringIO()
    progress = Plain(stream, interval_seconds=10, now=lambda: next(clock))
    for at in (100, 200, 300, 20_000):
        progress.update(status(at))
    progress.close()
    assert [text.split()[1] for text in stream.getvalue().splitlines()] == ["100/20000", "300/20000", "20000/20000"]


def test_plain_notes_are_written_at_once():
    stream = io.StringIO()
    Plain(stream).note("12 images could not be read")
    assert stream.getvalue() == "12 images could not be read\n"


def test_a_terminal_gets_the_live_display_and_everything_else_plain_lines(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    assert isinstance(make_progress(Terminal()), Live)
    assert isinstance(make_progress(io.StringIO()), Plain)
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(make_progress(Terminal()), Plain)


def test_diagnostics_go_to_stderr(capsys):
    make_progress().note("hello")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "hello\n"


@pytest.mark.parametrize("width", [12, 24, 40, 120])
def test_the_live_display_says_everything_at_any_width(monkeypatch, width):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    progress = Live(stream, width=width)
    progress.update(status(20_000))
    progress.close()
    words = stream.getvalue()
    for said in ("20,000", "153,600", "1.21", "0.832", "0.71", "0.64"):
        assert said in words


def test_a_note_does_not_take_brackets_for_markup(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    progress = Live(stream, width=80)
    progress.update(status())
    progress.note("left out: [red]face[/red].png")
    progress.close()
    assert "[red]face[/red].png" in stream.getvalue()


def test_the_live_display_gives_the_cursor_back_and_closes_twice(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    stream = Terminal()
    progress = Live(stream, width=80)
    progress.update(status())
    progress.close()
    progress.close()
    progress.update(status())
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h") == 1


def test_a_display_that_showed_nothing_leaves_nothing():
    stream = Terminal()
    Live(stream).close()
    assert stream.getvalue().strip() == ""


def test_counts_become_notes_and_an_unknown_total_is_not_made_up():
    stream = io.StringIO()
    tell = progress_callback(Plain(stream), interval_seconds=0.0)
    tell("pack", 500, 1000)
    tell("download", 1000, 0)
    first, second = stream.getvalue().splitlines()
    assert first.startswith("pack 500/1,000")
    assert second == "download 1,000"
