"""Names that other programs give to measurements, read as names of the history."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from zerosum.errors import InputError
from zerosum.text import listed

DISCRIMINATOR, GENERATOR, ROUND = "discriminator", "generator", "round"

PLAYERS = {
    **dict.fromkeys(("d", "dis", "disc", "discriminator", "critic", "netd"), DISCRIMINATOR),
    **dict.fromkeys(("g", "gen", "generator", "netg"), GENERATOR),
}
MEASURES = {
    **dict.fromkeys(("loss", "losses", "err", "error", "cost", "adv"), "loss"),
    **dict.fromkeys(("acc", "accuracy"), "accuracy"),
    **dict.fromkeys(("logit", "logits", "scores"), "logit"),
    **dict.fromkeys(("grad", "gradient", "gradnorm"), "gradient"),
    **dict.fromkeys(("lr", "rate"), "lr"),
}
SIDES = {**dict.fromkeys(("real", "true"), "real"), **dict.fromkeys(("fake", "generated", "synthetic"), "fake")}
JOINED = {
    joined: (player, measure)
    for player in ("d", "g")
    for measure in ("loss", "err", "acc", "lr")
    for joined in (player + measure, measure + player)
}
"""Words that are written without a mark between them, as in errD."""

FILLING = {"train", "training", "mean", "avg", "average", "net", "model", "norm", "the", "of", "learning", "total"}
TERMS = {
    ("loss", None): "loss",
    ("loss", "real"): "real_loss",
    ("loss", "fake"): "fake_loss",
    ("accuracy", None): "accuracy",
    ("accuracy", "real"): "real_accuracy",
    ("accuracy", "fake"): "fake_accuracy",
    ("logit", "real"): "real",
    ("logit", "fake"): "fake",
    ("gradient", None): "gradient_norm",
    ("lr", None): "lr",
}
PROBABILITIES = {
    "d(x)": f"{DISCRIMINATOR}/real_probability",
    "d(g(z))": f"{DISCRIMINATOR}/fake_probability",
    "d(g(z1))": f"{DISCRIMINATOR}/fake_probability",
    "d(g(z))1": f"{DISCRIMINATOR}/fake_probability",
}
"""Means of the discriminator's output after a sigmoid, in [0, 1]. They are no accuracies: an accuracy is a share of
samples, and D(x) of 0.6 may go with all of them right."""

FIGURES = ("fid", "kid", "is", "precision", "recall", "density", "coverage")
ROUNDS = (
    "round",
    "global_step",
    "_step",
    "step",
    "steps",
    "iteration",
    "iterations",
    "iter",
    "iters",
    "it",
    "epoch",
    "epochs",
    "kimg",
    "index",
)
"""Names of columns that count, the finest first."""

OWN = re.compile(rf"[a-z][a-z0-9_]*/({'|'.join(sorted({*TERMS.values(), 'real_probability', 'fake_probability'}))})")
KEPT = re.compile(r"(watch|evaluation)/[\w/.-]+|seen|seconds|images_per_second|peak_[a-z_]+_bytes")
"""Names that zerosum itself gives to what is no term of a player."""


def key_of(name: str) -> str | None:
    """Return the name that the history has for a column; None for one that is not understood.

    A name is understood only where every word of it is: `d_loss_gp` is a part of a loss, not the loss.

    >>> [key_of(name) for name in ("errD", "Loss/generator", "acc_fake", "D(x)", "grad_norm_g", "d_loss_gp")]
    ['discriminator/loss', 'generator/loss', 'discriminator/fake_accuracy', 'discriminator/real_probability', \
'generator/gradient_norm', None]
    """
    plain = re.sub(r"[\s_]", "", name).lower()
    if plain in PROBABILITIES:
        return PROBABILITIES[plain]
    if OWN.fullmatch(name) or KEPT.fullmatch(name):
        return name
    words = _words(name)
    figures = [word for word in words if word in FIGURES]
    if figures and set(words) <= {*FIGURES, *FILLING, "val", "eval", "score", "metrics", "full"}:
        return f"evaluation/{figures[0]}" if len(figures) == 1 else None
    return _term(words)


def _term(words: list[str]) -> str | None:
    players = {PLAYERS[word] for word in words if word in PLAYERS}
    sides = {SIDES[word] for word in words if word in SIDES}
    measures = {MEASURES[word] for word in words if word in MEASURES}
    if len(measures) > 1:  # as in Loss/scores/real: what was measured stands last
        measures -= {"loss"}
    unknown = [word for word in words if not (word in PLAYERS or word in SIDES or word in MEASURES or word in FILLING)]
    if unknown or len(measures) != 1 or len(players) > 1 or len(sides) > 1:
        return None
    (measure,), side = measures, next(iter(sides), None)
    player = next(iter(players), DISCRIMINATOR if side is not None else None)
    term = TERMS.get((measure, side))
    return None if player is None or term is None else f"{player}/{term}"


def _words(name: str) -> list[str]:
    """Split a name: "lossD_real" -> ["loss", "d", "real"]."""
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    found = [word for word in re.split(r"[^0-9a-z]+", parted.lower().replace("50k", " ")) if word]
    return [part for word in found for part in JOINED.get(word, (word,))]


def as_typed(columns: Mapping[str, str]) -> list[str]:
    """Return columns and their keys as they are typed: "COLUMN=KEY".

    Raises:
        InputError: they are no mapping.
    """
    if not isinstance(columns, Mapping):
        raise InputError(f'columns={columns!r} was given: give a dict, such as {{"loss1": "discriminator/loss"}}.')
    return [f"{name}={key}" for name, key in columns.items()]


def read_names(names: Sequence[str], given: Sequence[str] = ()) -> tuple[dict[str, str], list[str]]:
    """Map columns to names of the history.

    Args:
        names: of the columns.
        given: "COLUMN=KEY", each of which comes before what the column's name says.

    Returns:
        The key of each column that is understood, and the columns that are not, or whose key another one has.

    Raises:
        InputError: one of `given` names no column, or no key, or either of them a second time.

    >>> read_names(["epoch", "d_loss", "lossD", "x"], ["x=generator/loss"])
    ({'x': 'generator/loss', 'd_loss': 'discriminator/loss'}, ['lossD'])
    """
    found: dict[str, str] = {}
    for entry in given:
        name, _, key = entry.rpartition("=")
        if name not in names:
            raise InputError(f"--map {entry}: the log has no column {name!r}; it has {listed(names, most=12)}.")
        if key != ROUND and not OWN.fullmatch(key) and not KEPT.fullmatch(key):
            terms = listed(sorted({*TERMS.values()}), most=20)
            raise InputError(
                f"--map {entry}: {key!r} is no name of a measurement: give round, or a player and a term such as "
                f"discriminator/loss, of {terms}."
            )
        if name in found or key in found.values():
            raise InputError(f"--map {entry}: the column or the measurement has been given already; give each once.")
        found[name] = key
    for name in names:
        key = None if name in found else key_of(name)
        if key is not None and key not in found.values():
            found[name] = key
    return found, [name for name in names if name not in found and name.lower() not in ROUNDS]
