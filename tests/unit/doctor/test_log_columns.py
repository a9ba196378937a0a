"""Columns of other programs' logs, read by their names."""

from __future__ import annotations

import pytest

from zerosum.doctor.columns import key_of, read_names
from zerosum.errors import InputError

KEYS = {
    "discriminator/loss": "d_loss loss_D D_loss errD Loss/discriminator Loss/D lossD dLoss Train/Loss_Discriminator",
    "generator/loss": "g_loss loss_G errG Loss/generator Loss/G/loss gen_loss",
    "discriminator/real_probability": "D(x)",
    "discriminator/fake_probability": "D(G(z)) D(G(z1))",
    "discriminator/accuracy": "d_acc disc_accuracy",
    "discriminator/real_accuracy": "real_acc d_acc_real accuracy_real discriminator/real_accuracy",
    "discriminator/fake_accuracy": "acc_fake disc_acc_generated",
    "discriminator/real_loss": "d_loss_real lossD_real",
    "discriminator/real": "Loss/scores/real real_logits",
    "generator/gradient_norm": "grad_norm_g g_grad_norm",
    "discriminator/lr": "lr_d learning_rate_d",
    "evaluation/fid": "fid FID metrics/fid50k_full",
    "watch/diversity": "watch/diversity",
}


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, names in KEYS.items() for name in names.split()])
def test_names_in_use_are_understood(key: str, name: str) -> None:
    assert key_of(name) == key


@pytest.mark.parametrize(
    "name", ["d_loss_gp", "val_d_loss", "loss", "acc", "real_score", "D_real", "r1", "d_g_loss", ""]
)
def test_names_that_may_mean_another_thing_are_not(name: str) -> None:
    assert key_of(name) is None


def test_what_is_given_comes_before_what_a_name_says() -> None:
    found, left = read_names(["epoch", "d_loss", "x"], ["x=discriminator/loss"])
    assert (found, left) == ({"x": "discriminator/loss"}, ["d_loss"])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("y=discriminator/loss", "no column 'y'; it has epoch, x."),
        ("x=discriminator/los", "'discriminator/los' is no name of a measurement"),
        ("x", "no column ''"),
        ("x=generator/loss epoch=generator/loss", "the measurement has been given already"),
        ("x=generator/loss x=discriminator/loss", "--map x=discriminator/loss: the column"),
    ],
)
def test_a_wrong_map_is_refused_in_a_sentence(given: str, said: str) -> None:
    with pytest.raises(InputError, match=r"--map") as refused:
        read_names(["epoch", "x"], given.split())
    assert said in str(refused.value)
