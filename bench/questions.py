"""What people ask of a toolkit for GANs, and the saved results that answer it: the parts of docs/results.md."""

from __future__ import annotations

from bench.answers import (
    Extract,
    Question,
    best_upscaling,
    by_minutes,
    found_by_the_doctor,
    one_of,
    over_seeds,
    same,
    saved_by_the_autopilot,
)

KINDS_METRICS = (
    "FID-occupancy",
    "FVD-classifier",
    "FID-classifier",
    "FID-matching",
    "coverage (Chamfer)",
    "recall",
    "rank of the caption among 100",
    "class accuracy-classifier",
)

QUESTIONS = (
    Question(
        "What do I get in a few minutes?",
        """
Fashion-MNIST, by `zerosum train` without a recipe, beside loops that people start from, in the same processor time on
a CPU. The loops have their authors' networks and settings, which are for a GPU: that is what makes them slow here.
FID by features of a classifier of the labels: the mean over seeds, and the lowest and highest where there are several.
""",
        [
            Extract(
                "quality",
                same("trained by", "2 minutes", "5 minutes", "15 minutes"),
                lambda row: "as it was" not in row["trained by"],
                by_minutes,
            )
        ],
    ),
    Question(
        "How good are the defaults?",
        """
Each data set gets the same time of training for every recipe. *Floor* is what real images get in the place of
generated ones; lower is better, but for coverage, the share of real images with a generated one nearby.
Distances are by features of a classifier of the data set's labels: within a data set they compare, between
two they do not, and with published FID never.
""",
        [
            Extract(
                "default",
                {
                    "data": "data",
                    "trained": "trained",
                    "recipe": "recipe",
                    "seeds": "seeds",
                    "FID": "distance, mean (lowest to highest)",
                    "floor": "floor",
                    "coverage": "coverage",
                },
                lambda row: row["data"] in ("fashion", "cifar", "lego") and "as it was" not in row["trained"],
                over_seeds,
            )
        ],
    ),
    Question(
        "And shapes, clips, sounds, sentences, ages?",
        """
Each run stands between the same model before its first round and real samples. Where it is no better than
untrained, it learned nothing of what that metric measures.
""",
        [
            Extract(
                "kinds",
                same("run", "metric", "better", "untrained", "run, 95 %", "real"),
                one_of("metric", *KINDS_METRICS),
            )
        ],
        "| | |\n|---|---|\n| ![Clips](pictures/clips.png) | ![Spectrograms of spoken digits](pictures/spoken.png) |",
    ),
    Question(
        "What do images become?",
        """
Larger, without holes, in another domain: minutes to two hours of one core, on images that were not trained
on. For larger images, bicubic interpolation is what costs nothing; for holes, the mean of what surrounds
them.
""",
        [
            Extract(
                "upscaling",
                same("after", "training time", "PSNR on Y", "over bicubic", "SSIM on Y"),
                summed=best_upscaling,
            ),
            Extract("inpainting", same("data", "holes", "missing", "inpaint", "mean of the surroundings")),
            Extract(
                "translation-domains", same("held-out images", "count", "taken for the other domain", "the same before")
            ),
        ],
        "![Holes filled](pictures/guides/holes.png)",
    ),
    Question(
        "Does it find all modes?",
        """
The ring, the grid and Stacked MNIST: short runs of small networks (*protocol quick*), and PacGAN's networks, rates
and batches as far as a recipe has them (*protocol pacgan*), beside a perfect sampler of as many points. Published
rows, PacGAN's and R3GAN's among them, stand in the whole table.
""",
        [
            Extract(
                "mode-collapse",
                same("data", "method", "modes", "high quality %", "reverse KL", "runs"),
                lambda row: row["source"].startswith("here") or row["method"] == "a perfect sampler",
            )
        ],
    ),
    Question(
        "What do stabilisers change?",
        """
A game that loses modes, and the same game with one stabiliser: modes found (by seed), and the share of
samples near one. Both count: a stabiliser that scatters samples over the plane finds modes too. On digits,
few of which are trained on, the Fréchet distance of pixels: lower is better.
""",
        [
            Extract(
                "stabilisers",
                same("stabiliser", "ring8", "grid25", "digits"),
                lambda row: row["digits"] not in ("", "refused"),
            )
        ],
    ),
    Question(
        "Does it notice when training fails, and mend it?",
        """
Games that fail for a known reason and games that do well, of which `zerosum doctor` is asked. Its thresholds
were set on the half *tuned*; what counts is the half *judged*. Then the failing games again, with
`--autopilot`; and the first rounds of a DCGAN tutorial whose log collapses, at its own size, with its loss of clipped
probabilities.
""",
        [
            Extract("collapse", same("half", "games", "warned"), summed=found_by_the_doctor),
            Extract(
                "collapse-autopilot",
                {"ended": "ended with the autopilot", "games": "games"},
                summed=saved_by_the_autopilot,
            ),
            Extract(
                "tutorial",
                {**same("game", "rounds"), "dead": "rounds without learning", **same("first warning", "warned of")},
            ),
        ],
    ),
    Question(
        "How fast is it?",
        """
On CPUs beside a loop in plain PyTorch, written from the paper with as many weights, and beside Keras; on a
GPU by itself.
""",
        [
            Extract(
                "recipes",
                {
                    "recipe": "recipe",
                    "images": "images",
                    "float32": "float32, beside the plain loop",
                    "bfloat16": "bfloat16, beside the plain loop",
                },
            ),
            Extract("dcgan", same("contestant", "img/s", "of the plain loop", "of Keras")),
            Extract(
                "gpu",
                same("recipe", "sample", "precision", "images/s", "GPU memory, GiB"),
                lambda row: row["sample"].startswith("3x"),
            ),
        ],
    ),
    Question(
        "Does it scale?",
        """
Two processes beside one on two cores (2 is perfect), and the memory that large data takes.
""",
        [
            Extract(
                "scaling",
                same("recipe", "one process, images/s", "two processes, images/s", "ratio", "two apart, ratio"),
            ),
            Extract("memory", same("data", "size of the data", "largest memory held")),
        ],
    ),
    Question(
        "What does a trained generator cost to use?",
        """
Served over HTTP, beside another server with the same model; and exported, beside PyTorch.
""",
        [
            Extract(
                "serving",
                same("server", "clients", "p50 ms", "samples/s", "CPU ms a sample", "resident MB"),
                one_of(
                    "server",
                    *(f"{name}, {kind}" for name in ("zerosum serve", "LitServe") for kind in ("float32", "bfloat16")),
                ),
            ),
            Extract(
                "export", same("generator at 64x64", "form", "MB", "images a processor-second", "largest difference")
            ),
        ],
        "![A page that generates digits](pictures/guides/page.png)",
    ),
    Question(
        "Are its scores right, and quick?",
        """
The same features through another implementation: times faster, and the relative difference of the numbers.
""",
        [Extract("metrics", same("contest", "peer", "times faster", "relative difference"))],
    ),
    Question(
        "Are samples good for training a classifier?",
        """
Alone, and beside few and more real images: a classifier of real test images is trained on each, five times over.
""",
        [
            Extract(
                "cas",
                {
                    "trained on": "trained on",
                    "real images": "real images",
                    "samples": "samples",
                    "accuracy on real test images, % (95 % interval)": "accuracy, %",
                    "against real": "against real",
                },
            )
        ],
    ),
)
