"""Every lesson is played, and shows what it says."""

from __future__ import annotations

import pytest

from tests.playground.conftest import Node

PLAY = """
const { name, changes } = given, { seen, settings } = LESSONS[name];
const session = new Session({ ...defaults(), ...settings, ...changes }, doctor);
while (session.round < session.settings.rounds && session.play());
answer({ ...seen(session), round: session.round });
"""
NAMES = ("equilibrium", "vanishing", "collapse", "wasserstein", "rates", "unrolling")
CONTRARY = {
    "equilibrium": {"discriminator_lr": 0.001},
    "vanishing": {"loss": "non-saturating", "n_discriminator": 1, "generator_lr": 0.001},
    "collapse": {"loss": "relativistic", "generator_lr": 0.001, "beta1": 0},
    "unrolling": {"unrolled": 0},
}
"""Changes under which a lesson's claim does not hold."""


def test_lessons_set_what_controls_can_set(node: Node):
    body = """answer(Object.entries(LESSONS).map(([name, lesson]) => {
      const hash = toHash({ ...defaults(), ...lesson.settings });
      return [name, lesson.choices.length > lesson.right, toHash(fromHash(hash).settings) === hash];
    }))"""
    assert node(body) == [[name, True, True] for name in NAMES]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_lesson_shows_what_it_says_with_every_seed(name, node: Node):
    for seed in range(10):
        found = node(PLAY, {"name": name, "changes": {"seed": seed}})
        assert found["holds"], f"seed {seed}: {found['text']}"


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTRARY)
def test_a_game_that_goes_otherwise_does_not(name, node: Node):
    found = node(PLAY, {"name": name, "changes": CONTRARY[name]})
    assert not found["holds"], found["text"]
