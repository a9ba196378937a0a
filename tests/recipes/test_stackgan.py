"""StackGAN: the sheet's counts and closed forms, its rounds in float64, and a stage I that stands still."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.recipes.conftest import game
from tests.recipes.rounds import VOCABULARY, compare, in_double, play, ramped
from tests.reference import stackgan
from tests.reference.common import Move, Player, Weights, average, leaves
from zerosum import recipes
from zerosum.data.sentences import packed, unpacked
from zerosum.data.spec import Spec
from zerosum.errors import InputError
from zerosum.networks.captions import SentenceEncoder, contrastive_loss
from zerosum.networks.stackgan import ConditioningAugmentation, divergence, drawn, initialise
from zerosum.networks.stages import small_shape
from zerosum.runtime import rng
from zerosum.runtime.weightless import without_weights

TINY = {"latent_dim": 3, "embedding": 5, "condition": 2, "width": 4, "second_width": 3, "discriminator_width": 2}
CPU = torch.device("cpu")


def build(side: int, **settings: Any) -> Any:
    kind = recipes.find("stackgan")
    with without_weights():
        return kind(kind.Config.for_kind("captions", settings), Spec(shape=(3, side, side), kind="captions"))


def count(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize(
    ("settings", "side", "counts"),
    [
        ({"preset": "paper"}, 256, (10_301_248, 5_715_713, 26_290_080, 71_269_122)),
        ({"preset": "coco"}, 256, (20_020_832, 12_407_425, 37_130_480, 159_889_538)),
        ({}, 32, (197_696, 81_665, 57_568, 336_002)),
    ],
)
def test_the_networks_have_the_sheets_counts(settings, side, counts):
    recipe = build(side, **settings)
    networks = (recipe.first, recipe.first_discriminator, recipe.second, recipe.second_discriminator)
    assert tuple(map(count, networks)) == counts
    if side == 256:
        assert count(recipe.first.augment) == 262_400


def test_the_divergence_is_that_of_gaussians():
    zero = torch.zeros(4, 3)
    assert divergence(zero, zero) == 0
    assert divergence(zero + 1, zero) == 0.5
    assert divergence(zero, zero + math.log(4)).item() == pytest.approx((3 - math.log(4)) / 2)


def test_conditions_are_drawn_with_their_variance():
    with rng.fork(CPU, seed=0):
        values = drawn(torch.full((20_000, 2), 3.0), torch.tensor([0.0, math.log(4.0)]).expand(20_000, -1))
    torch.testing.assert_close(values.mean(0), torch.full((2,), 3.0), atol=0.05, rtol=0)
    torch.testing.assert_close(values.var(0), torch.tensor([1.0, 4.0]), atol=0.15, rtol=0)


@pytest.mark.parametrize("rectified", [False, True])
def test_conditions_begin_with_small_variances_unless_they_are_rectified(rectified):
    given = torch.randn(500, 64, generator=torch.Generator().manual_seed(0))
    with rng.fork(CPU, seed=0):
        augment = ConditioningAugmentation(64, 16, rectified=rectified)
        initialise(augment)
    mean, log_variance = augment(given)
    assert bool((mean >= 0).all()) == bool((log_variance >= 0).all()) == rectified
    assert 0.3 < mean.std() < 0.8
    assert (log_variance.mean() > 0) == rectified
    assert rectified or log_variance.mean().item() == pytest.approx(-3, abs=0.2)


def test_losses_of_zero_logits_are_the_sheets():
    recipe = game("stackgan", (3, 32, 32)).recipe
    for d in (recipe.first_discriminator, recipe.second_discriminator):
        for head in (d.conditional, d.unconditional):
            if head is not None:
                torch.nn.init.zeros_(head.weight)
    batch = game("stackgan", (3, 32, 32)).draw()
    e, mean = recipe.embed(batch.caption), torch.zeros(8, 4)
    small = recipe.first_image(e)
    assert small.shape == (8, 3, 16, 16)
    first, second = recipe.first_discriminator_loss, recipe.second_discriminator_loss
    assert first(batch, embedding=e).total().item() == pytest.approx(2 * math.log(2))
    assert second(batch, embedding=e, small=small).total().item() == pytest.approx(2 * math.log(2))
    loss = recipe.second_generator_loss(batch, embedding=e, small=small, mean=mean)
    assert loss["adversarial"].item() == pytest.approx(2 * math.log(2))
    assert recipe.first_generator_loss(batch, embedding=e, mean=mean)["adversarial"].item() == pytest.approx(
        math.log(2)
    )


def test_the_contrastive_term_is_what_the_encoder_makes_of_samples_and_their_sentences():
    recipe = game("stackgan", (3, 32, 32), settings={"contrastive": 2.0}).recipe
    batch = game("stackgan", (3, 32, 32)).draw()
    assert recipe.matching is not None
    tokens = recipe.matching.sentence.tokens(unpacked(batch.caption))
    logits = recipe.matching.eval()(recipe.shrunk(batch.image), tokens)
    given = {"embedding": recipe.embed(batch.caption), "mean": torch.zeros(8, 4)}
    recipe.first.forward = lambda latent, condition: recipe.shrunk(batch.image)
    loss = recipe.first_generator_loss(batch, **given)
    torch.testing.assert_close(loss["contrastive"], 2 * contrastive_loss(logits, tokens))
    recipe.first.forward = lambda latent, condition: recipe.shrunk(batch.image).roll(1, 0)
    other = recipe.first_generator_loss(batch, **given)
    assert abs(other["contrastive"].item() - loss["contrastive"].item()) > 1e-3


def test_the_encoder_that_judges_samples_stays_as_it_is():
    """Its weights and the statistics of its batch norms, in both stages, while the generators move."""
    playing = game("stackgan", (3, 16, 16), rounds=20, settings={"contrastive": 1.0})
    recipe: Any = playing.recipe
    for index, phase in enumerate(recipe.phases()):
        playing.begin_phase(index, phase)
        before = {name: value.clone() for name, value in recipe.matching.state_dict().items()}
        for _ in range(2):
            phase.play(playing)
            playing.end_round()
        after = recipe.matching.state_dict()
        same = [torch.equal(before[name], value) for name, value in after.items()]
        assert all(same) if index else not all(same)
    assert recipe.stage == 2


def test_augmentation_leaves_the_colours_that_sentences_speak_of():
    """Translation and cutout fill with zeros, and all other pixels keep their values."""
    playing = game("stackgan", (3, 16, 16), stabilise="diff-augment")
    recipe: Any = playing.recipe
    seen: list[torch.Tensor] = []
    recipe.second_discriminator.trunk.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    shade = torch.tensor([0.5, -0.25, 0.75]).view(1, 3, 1, 1).expand(4, 3, 16, 16)
    recipe.second_discriminator.trunk.train()(shade)
    kept = (seen[-1] - shade).abs().amax(1) == 0
    assert ((seen[-1] == 0).all(1) | kept).all()
    assert 0.2 < kept.float().mean() < 1


def test_the_maps_have_the_papers_sides():
    recipe = build(256, preset="paper")
    with without_weights():
        small, condition = torch.zeros(2, 3, 64, 64), torch.zeros(2, 128)
        assert recipe.first(torch.zeros(2, 100), condition).shape == small.shape
        assert recipe.second.down(small).shape == (2, 512, 16, 16)
        assert recipe.second(small, condition).shape == (2, 3, 256, 256)


def test_stage_two_begins_with_the_averaged_stage_one_and_leaves_it_where_it_is():
    playing = game("stackgan", (3, 16, 16), rounds=20)
    recipe = playing.recipe
    encoder, one, two = recipe.phases()
    assert [phase.rounds for phase in (encoder, one, two)] == [1, 10, 9]
    for index, phase in enumerate((encoder, one)):
        playing.begin_phase(index, phase)
        for _ in range(3):
            phase.play(playing)
            playing.end_round()
    assert recipe.stage == 1
    with playing.averaged():
        kept = {key: value.clone() for key, value in recipe.first.state_dict().items()}
    assert any(not torch.equal(kept[key], value) for key, value in recipe.first.state_dict().items())
    frozen = {key: value.clone() for key, value in recipe.first_discriminator.state_dict().items()}
    encoded = recipe.encode(["a small red circle"])
    playing.begin_phase(2, two)
    for _ in range(2):
        two.play(playing)
        playing.end_round()
        assert all(torch.equal(kept[key], value) for key, value in recipe.first.state_dict().items())
        assert all(p.grad is None for p in recipe.first.parameters())
    with playing.averaged():
        assert all(torch.equal(kept[key], value) for key, value in recipe.first.state_dict().items())
    assert all(torch.equal(frozen[k], value) for k, value in recipe.first_discriminator.state_dict().items())
    assert torch.equal(recipe.encode(["a small red circle"]), encoded)
    assert recipe.stage == 2
    assert recipe.training


def test_before_stage_two_images_are_those_of_stage_one_enlarged():
    recipe = game("stackgan", (3, 16, 16)).recipe.eval()
    with rng.fork(CPU, seed=1):
        image = recipe.paint("a small red circle", 3)
    assert image.shape == (3, 3, 16, 16)
    assert torch.equal(image, image[:, :, ::2, ::2].repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert not torch.equal(image[0], image[1])
    recipe.stage.fill_(2)
    with rng.fork(CPU, seed=1):
        other = recipe.paint("a small red circle", 3)
    assert not torch.equal(image, other)


def test_a_round_is_too_few_for_both_stages_and_it_is_said():
    recipe = game("stackgan", (3, 16, 16), rounds=2).recipe
    assert [phase.name for phase in recipe.phases()] == ["encoder", "stage I"]
    assert "no rounds for stage II" in recipe.notes[-1]


@pytest.mark.parametrize("shape", [(3, 30, 30), (3, 8, 8), (3, 16, 18), (3, 274, 290)])
def test_sizes_that_stages_cannot_make_are_refused_with_one_that_fits(shape):
    with pytest.raises(InputError, match=r"in two stages.*--size \d+x\d+ would fit") as refusal:
        small_shape(4, shape)
    height, width = str(refusal.value).split("--size ")[1].split(" ")[0].split("x")
    assert small_shape(4, (3, int(height), int(width)))[1:] == (int(height) // 4, int(width) // 4)


def test_words_and_texts():
    recipe = game("stackgan", (3, 16, 16)).recipe.eval()
    assert recipe.unknown_words("A small, red giraffe and another giraffe!") == ["giraffe", "another"]
    assert recipe.paint("giraffe", 2).isfinite().all()
    with pytest.raises(InputError, match="The text is empty"):
        recipe.paint("  ")
    with torch.no_grad():
        assert torch.equal(recipe.encode(["A RED circle."]), recipe.encode(["a red circle"]))
        assert torch.equal(recipe.encode(["a red giraffe circle"]), recipe.encode(["a red circle"]))
        red = recipe.encode(["a red circle on a blue square"]) - recipe.encode(["a blue circle on a red square"])
    assert red.abs().max() > 1e-4, "the order of words counts"


def test_padding_changes_no_sentence():
    encoder = SentenceEncoder(VOCABULARY, 6, 5)
    alone, beside = encoder.tokens(["a b"]), encoder.tokens(["a b", "a b c d a b c d"])
    torch.testing.assert_close(encoder(alone)[0], encoder(beside)[0])


def test_equal_captions_are_no_wrong_answers():
    logits = torch.tensor([[0.0, 9.0], [9.0, 0.0]])
    assert contrastive_loss(logits, torch.tensor([[1], [1]])) == 0
    assert contrastive_loss(logits, torch.tensor([[1], [2]])) > 9


def halves_of(all_weights: list[torch.Tensor], move: Move, chosen: slice) -> Move:
    """Spread a move of some of a player's parameters over all of them."""
    gradients = [torch.zeros_like(p) for p in all_weights]
    gradients[chosen] = move.gradients
    return Move(move.player, move.losses, gradients, [p.detach().clone() for p in all_weights])


@pytest.mark.parametrize("rectified", [False, True])
def test_its_rounds_are_the_references(monkeypatch: pytest.MonkeyPatch, rectified: bool) -> None:
    seen: dict[str, list[torch.Tensor]] = {"small": [], "embedding": []}

    def prepare(recipe: Any) -> None:
        for name, method in (("small", "first_image"), ("embedding", "embed")):
            original = getattr(recipe, method)

            def kept(given: torch.Tensor, name: str = name, original: Any = original) -> torch.Tensor:
                seen[name].append(original(given))
                return seen[name][-1]

            monkeypatch.setattr(recipe, method, kept)

    with in_double(monkeypatch):
        settings = TINY | {"rectified": rectified, "encoder_rounds": 3, "halvings": 5}
        record = play(monkeypatch, "stackgan", (3, 16, 16), prepare=prepare, rounds=9, batch=4, blocks=1, **settings)
        config, recipe = record.recipe.config, record.recipe
        firsts = {"generator": len(list(recipe.first.parameters())), "discriminator": 6}
        assert firsts["discriminator"] == len(list(recipe.first_discriminator.parameters()))
        weights = {name: leaves(start) for name, start in record.start.items()}
        encoder = Player("encoder", lambda w: w, weights["encoder"], alpha=1e-3, beta1=0.9, beta2=0.999)
        rates = {"generator": 5e-4, "discriminator": 3e-4}
        of = {
            (name, stage): Player(
                name,
                lambda w: w,
                weights[name][: firsts[name]] if stage == 1 else weights[name][firsts[name] :],
                alpha=rates[name],
                beta1=0.5,
                beta2=0.999,
            )
            for name in firsts
            for stage in (1, 2)
        }
        mean_weights, updates = [p.detach().clone() for p in weights["generator"]], 0
        expected: list[Move] = []
        number = {word: index for index, word in enumerate(VOCABULARY, start=1)}
        for played, (phase, round_, rounds) in zip(record.rounds, record.stages, strict=True):
            batch = played[0].batch
            tokens = torch.tensor([[number[w] for w in said.split()] for said in unpacked(batch.caption)])
            if phase == 0:
                expected.append(stackgan.encoder_move(encoder, stackgan.shrink(batch.image, 2), tokens, layers=1))
                continue
            with torch.no_grad():
                e = stackgan.sentence(Weights(encoder.parameters[1:6]), tokens)
            torch.testing.assert_close(seen["embedding"].pop(0), e)
            d, g = of["discriminator", phase], of["generator", phase]
            chosen = {n: slice(0, firsts[n]) if phase == 1 else slice(firsts[n], None) for n in firsts}
            halved = 0.5 ** int(6 * round_ / rounds)
            d.adam.alpha, g.adam.alpha = (rates[side] * halved for side in ("discriminator", "generator"))
            if phase == 2 and round_ == 0:
                with torch.no_grad():
                    for p, value in zip(weights["generator"][: firsts["generator"]], mean_weights, strict=False):
                        p.copy_(value)
            small = seen["small"].pop(0) if phase == 2 else None

            def make(draws: list[torch.Tensor], g: Player = g, small: Any = small, e: Any = e) -> Any:
                w = Weights(g.parameters)
                mean, log_variance = stackgan.augment(w, e, rectified=rectified)
                c = mean + (0.5 * log_variance).exp() * draws[-1]
                if small is None:
                    image = stackgan.first_generator(w, draws[0], c, start=(4, 4), ups=1)
                else:
                    image = stackgan.second_generator(w, small, c, halved=1, blocks=1)
                w.done()
                return image, mean, stackgan.kl(mean, log_variance)

            real = batch.image if phase == 2 else stackgan.shrink(batch.image, 2)
            layers = {1: 1, 2: 2}[phase]
            fake, mean, _ = make(played[0].draws)
            heads = stackgan.discriminator(d.parameters, layers=layers, both=phase == 2)
            move = stackgan.d_move(d, heads, real, fake, mean.detach())
            expected.append(halves_of(weights["discriminator"], move, chosen["discriminator"]))
            fake, mean, kl = make(played[1].draws)
            heads = stackgan.discriminator(d.parameters, layers=layers, both=phase == 2)
            move = stackgan.g_move(g, heads, fake, mean, kl, weight=config.divergence)
            expected.append(halves_of(weights["generator"], move, chosen["generator"]))
            updates = 1 if round_ == 0 else updates + 1
            mean_weights = average(mean_weights, weights["generator"], beta=ramped(0.995, updates))
        terms: Any = {
            "encoder": {"contrastive": "loss", "found": "found"},
            "discriminator": {"fake": "fake", "mismatched": "mismatched", "wrong": "wrong"},
            "generator": {"adversarial": "adversarial", "divergence": "divergence"},
        }
        _compare(record, expected, terms)


def _compare(record: Any, expected: list[Move], terms: Any) -> None:
    """Compare; the discriminator's terms `real` and `fake` have the names of what it watches, so they go by others."""
    for move in record.moves:
        if move.player == "discriminator":
            move.terms = {{"real": "accepted", "fake": "refused"}.get(k, k): v for k, v in move.terms.items()}
    terms["discriminator"] = {
        "accepted": "accepted",
        "refused": "fake",
        "mismatched": "mismatched",
        "wrong": "wrong",
    }
    laws = {
        "discriminator": lambda move: "normal normal" if move.draws[0].shape[1] == 3 else "normal",
        "generator": lambda move: "normal normal" if move.draws[0].shape[1] == 3 else "normal",
    }
    compare(record, expected, terms, laws, {"generator": lambda update: ramped(0.995, (update - 1) % 3 + 1)})


@pytest.mark.slow
def test_a_text_model_of_hugging_face_encodes_and_needs_no_training(tmp_path: Path) -> None:
    name = _text_model(tmp_path / "model")
    settings = {"text_encoder": f"hf:{name}"}
    playing = game("stackgan", (3, 16, 16), settings=settings)
    recipe = playing.recipe
    assert set(playing.players) == {"discriminator", "generator"}
    assert [phase.name for phase in recipe.phases()] == ["stage I", "stage II"]
    for index, phase in enumerate(recipe.phases()):
        playing.begin_phase(index, phase)
        phase.play(playing)
        playing.end_round()
    playing.check_weights()
    assert not any("_model" in key for key in recipe.state_dict()), "its weights stay where they are"
    one, other, again = recipe.encode(["red circle", "a blue square here", "red circle"])
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)
    torch.testing.assert_close(recipe.encode(["red circle"])[0], one)
    assert one.norm().item() == pytest.approx(math.sqrt(8))
    assert recipe.unknown_words("giraffe") == []
    assert recipe.eval().paint("a giraffe", 2).shape == (2, 3, 16, 16)


def _text_model(folder: Path) -> Path:
    """Make a BERT of 8 values that knows a few words, as the hub would hold it."""
    library: Any = pytest.importorskip("transformers", reason="the extra vision is not installed")
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "circle", "a", "blue", "square"]
    (folder / "vocab.txt").write_text("\n".join(words))
    sizes = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    with rng.fork(CPU, seed=0):
        model = library.BertModel(library.BertConfig(vocab_size=len(words), **sizes))
    model.save_pretrained(folder)
    library.BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_text_model_that_is_not_there_is_refused_in_a_sentence(tmp_path: Path, monkeypatch: Any) -> None:
    with pytest.raises(InputError, match="trained, or hf:NAME"):
        recipes.find("stackgan").Config.read({"text_encoder": "bert"})
    monkeypatch.setitem(__import__("sys").modules, "transformers", None)
    with pytest.raises(InputError, match=r"needs the extra vision .*pip install 'zerosum\[vision\]'"):
        game("stackgan", (3, 16, 16), settings={"text_encoder": "hf:some/model"})


@pytest.mark.slow
def test_a_text_model_with_nothing_in_it_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="the extra vision is not installed")
    with pytest.raises(InputError, match="is unavailable"):
        game("stackgan", (3, 16, 16), settings={"text_encoder": f"hf:{tmp_path}"})


def test_captions_go_through_a_batch():
    assert unpacked(packed(["né", ""], 5)) == ["né", ""]
