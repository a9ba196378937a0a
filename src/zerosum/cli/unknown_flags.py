"""Flags that a command does not have: mistyped, or called so by other programs."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, get_args, get_origin

import tyro

from zerosum.config import flag, type_hints
from zerosum.errors import InputError

OURS: Mapping[str, tuple[str, ...]] = {
    "amp": ("precision",),
    "batchsize": ("batch",),
    "beta1": ("betas",),
    "dlr": ("discriminator_lr", "lr"),
    "epoch": ("rounds",),
    "epochs": ("rounds",),
    "fp16": ("precision",),
    "glr": ("generator_lr", "lr"),
    "gpu": ("device",),
    "imagesize": ("size",),
    "imgsize": ("size",),
    "imsize": ("size",),
    "iters": ("rounds",),
    "iterations": ("rounds",),
    "kimg": ("rounds",),
    "lambdagp": ("penalty",),
    "latentsize": ("latent_dim",),
    "learningrate": ("lr", "generator_lr", "discriminator_lr"),
    "lr": ("lr", "generator_lr", "discriminator_lr"),
    "lrd": ("discriminator_lr", "lr"),
    "lrg": ("generator_lr", "lr"),
    "manualseed": ("seed",),
    "mixedprecision": ("precision",),
    "model": ("recipe",),
    "name": ("run", "out"),
    "ncritic": ("n_critic",),
    "ndf": ("width",),
    "nepochs": ("rounds",),
    "ngf": ("width",),
    "niter": ("rounds",),
    "numimages": ("n", "count"),
    "numsamples": ("n", "count"),
    "numsteps": ("rounds",),
    "nz": ("latent_dim",),
    "out": ("run",),
    "outdir": ("run", "out"),
    "output": ("run", "out"),
    "outputdir": ("run", "out"),
    "psi": ("truncation",),
    "resolution": ("size",),
    "resumefrom": ("resume",),
    "run": ("out",),
    "savedir": ("run", "out"),
    "saveinterval": ("save_every",),
    "snap": ("save_every",),
    "steps": ("rounds",),
    "trunc": ("truncation",),
    "truncpsi": ("truncation",),
    "ttur": ("generator_lr", "discriminator_lr"),
    "weights": ("checkpoint",),
    "zdim": ("latent_dim",),
}
"""Names elsewhere, without dashes and in small letters: the flags that do this here, the first of which there are."""

REMARKS: Mapping[str, str] = {
    "rounds": "a round draws --batch samples, so an epoch is as many rounds as the data hold batches",
    "device": "cuda, cuda:1, mps or cpu",
    "size": "a side in pixels, or HEIGHTxWIDTH",
}
"""What is to be known of a flag of ours by those who know another."""

POSITIONAL = {
    "data": "DATA", "dataroot": "DATA", "datadir": "DATA", "dataset": "DATA", "datapath": "DATA", "path": "DATA",
    "input": "INPUT", "inputs": "INPUT", "network": "RUN", "run": "RUN", "rundir": "RUN",
}  # fmt: skip
"""What others ask for by a flag, and we without one."""

NEEDLESS = {
    "workers": "images are decoded once, into a cache, on as many processors as there are",
    "numworkers": "images are decoded once, into a cache, on as many processors as there are",
    "nworkers": "images are decoded once, into a cache, on as many processors as there are",
    "gpus": "for several GPUs type torchrun --nproc-per-node 2 -m zerosum -- train ..., and for one --device cuda",
    "ngpu": "for several GPUs type torchrun --nproc-per-node 2 -m zerosum -- train ..., and for one --device cuda",
    "ngpus": "for several GPUs type torchrun --nproc-per-node 2 -m zerosum -- train ..., and for one --device cuda",
    "numgpus": "for several GPUs type torchrun --nproc-per-node 2 -m zerosum -- train ..., and for one --device cuda",
    "cuda": "the GPU is taken where there is one; --device cuda insists on it",
    "nocuda": "type --device cpu",
    "channels": "the number of channels is that of the data",
    "inputnc": "the number of channels is that of the data",
    "nc": "the number of channels is that of the data",
}
"""What others ask for, and why it is not asked here."""


LIST_FLAGS = "--list-flags"
"""Asks any command for its `listing`, of which the completion of shells is made."""


Elsewhere = Callable[[str, str | None], str | None]
"""Says, of a flag and a sentence on what is called otherwise here, where else the flag is; None of one that is not."""


def require_known_flags(
    kind: type, arguments: Sequence[str], *, prog: str, elsewhere: Elsewhere = lambda word, ours: None
) -> None:
    """Refuse a flag that the command `kind` does not have, and name the one that is meant.

    Args:
        kind: dataclass of the command's flags.
        arguments: as they were typed.
        prog: how the command is called.
        elsewhere: says of a flag of another recipe or mode whose it is: there is such a flag, but not here.

    Raises:
        InputError: there is such a flag.
    """
    known = {"help": ("--help",), **dict(_flags(kind)), "": tuple(map(negation, switches(kind)))}
    spelled = {word for words in known.values() for word in words}
    for word in (argument.partition("=")[0] for argument in arguments):
        if word.startswith("--") and word != "--" and (typed := word.replace("_", "-")) not in spelled:
            raise InputError(
                elsewhere(typed, _ours(word, known))
                or f"There is no flag {word} of {prog}: {_meant(word, known, places(kind), prog)}"
            )


def listing(kind: type) -> list[str]:
    """Return a line for each flag of the command `kind`, and after it the values that it has to choose from.

    Words that have a choice without a flag are a line that begins with a blank.
    """
    choices = {name: _choices(type_) for name, type_, _ in _all_fields(kind)}
    choices |= dict.fromkeys(switches(kind), ("True", "False"))
    lines = [" ".join((word, *choices[name])) for name, words in _flags(kind) for word in words]
    lines += [negation(name) for name in switches(kind)]
    placed = (_choices(type_) for _, type_, marks in _fields(kind) if tyro.conf.Positional in marks)
    return [*(" ".join(("", *values)) for values in placed if values), *lines]


def switches(kind: type) -> list[str]:
    """Return the names of the settings within the command `kind` that are on or off.

    Each is typed as --x, --no-x, --x True or --x False, whatever it is by default: a preset may have it otherwise.
    """
    inner = [type_ for _, type_, _ in _fields(kind) if dataclasses.is_dataclass(type_)]
    return [name for part in inner for name in switches_of(part)]


def switches_of(settings: Any) -> list[str]:
    """Return the names of the settings of a dataclass that are on or off."""
    return [name for name, type_, _ in _all_fields(settings) if type_ is bool]


def negation(name: str) -> str:
    """Spell the flag that turns off a setting.

    >>> negation("batch_norm")
    '--no-batch-norm'
    """
    return flag(f"no_{name}")


def _choices(type_: Any) -> tuple[str, ...]:
    if get_origin(type_) is Literal:
        return tuple(map(str, get_args(type_)))
    return tuple(value for inner in get_args(type_) for value in _choices(inner))


def _meant(word: str, known: Mapping[str, tuple[str, ...]], places: Sequence[str], prog: str) -> str:
    plain = _plain(word)
    if POSITIONAL.get(plain) in places:
        return f"{POSITIONAL[plain]} is given without one, as in {prog} {' '.join(places)}."
    if (ours := _ours(word, known)) is not None:
        return ours
    if plain in NEEDLESS:
        return f"{NEEDLESS[plain]}."
    close = difflib.get_close_matches(word, [name for words in known.values() for name in words], n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else f"{prog} --help lists the flags."


def _ours(word: str, known: Mapping[str, tuple[str, ...]]) -> str | None:
    """Say how what others call `word` is called here; None where it is not known or not here."""
    ours = [name for name in OURS.get(_plain(word), ()) if name in known]
    if not ours:
        return None
    both = ours[:2] == ["generator_lr", "discriminator_lr"]
    remark = f" ({REMARKS[ours[0]]})" if ours[0] in REMARKS else ""
    return "it is called " + " and ".join(known[name][-1] for name in ours[: 1 + both]) + f" here{remark}."


def _plain(word: str) -> str:
    return word.replace("-", "").replace("_", "").lower()


def _flags(kind: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the fields of a command, and of the settings in it, that are flags, each with its spellings."""
    for name, _, marks in _all_fields(kind):
        if tyro.conf.Positional not in marks:
            aliases = [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]
            yield name, (flag(name), *aliases)


def _all_fields(kind: Any) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Yield the fields of a command, and those of the settings in it."""
    for name, type_, marks in _fields(kind):
        if dataclasses.is_dataclass(type_):
            yield from _all_fields(type_)
        else:
            yield name, type_, marks


def places(kind: Any) -> list[str]:
    """Return the words that a command takes without a flag, as its help spells them."""
    return [
        next((mark.metavar for mark in marks if getattr(mark, "metavar", None)), name.upper())
        for name, _, marks in _fields(kind)
        if tyro.conf.Positional in marks
    ]


def _fields(kind: Any) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """Yield the name, type and marks of each field of a dataclass."""
    hints = type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        type_, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
        yield field.name, type_, tuple(marks)
