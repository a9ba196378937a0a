"""Exported generators: how fast they are, how large, how far from PyTorch, and how soon a page shows its first picture.

    python -m bench.export [--page PAGE.html] [--save]

By processor time on one thread: the machine is shared. On two idle cores it is up to twice as many images a second.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch

from bench.results import save, table
from zerosum import recipes
from zerosum.data.spec import Spec
from zerosum.exporting.files import runner
from zerosum.exporting.graph import graphs
from zerosum.exporting.onnx_file import in_float16, to_onnx
from zerosum.exporting.parity import measure
from zerosum.exporting.trace import trace

CASES = (("dcgan", {"width": 32}), ("dcgan", {"width": 64}), ("cgan", {"width": 32}))
SHAPE = (3, 64, 64)
BATCH, PASSES = 64, 8
OPENED = 5
HEADER = [
    "generator at 64x64",
    "form",
    "MB",
    "images a processor-second",
    "largest difference",
    "8-bit values that differ",
]


def rate(run: Callable[[], object]) -> float:
    """Images a processor-second: the best of several passes after one to warm up."""
    run()
    taken = []
    for _ in range(PASSES):
        began = time.process_time()
        run()
        taken.append(time.process_time() - began)
    return BATCH / min(taken)


def rows(name: str, settings: dict[str, int]) -> list[list[str]]:
    """Measure a generator in PyTorch, and as ONNX with weights of both precisions."""
    kind = recipes.find(name)
    torch.manual_seed(0)
    recipe = kind(kind.Config.read(settings), Spec(shape=SHAPE, classes=("a", "b"), class_counts=(1, 1)))
    for module in recipe.modules():  # statistics of a batch, as training leaves them
        module.train()
    with torch.no_grad():
        for _ in range(50):
            recipe.sample(32)
    recipe.eval()
    title = f"{name}, " + ", ".join(f"{key} {value}" for key, value in settings.items())
    (graph, program) = trace(graphs(recipe)[0])
    given = graph.draw(BATCH)
    with torch.no_grad():
        found = [[title, "PyTorch", "", f"{rate(lambda: graph.module(*given)):,.0f}", "", ""]]
    whole = to_onnx(graph, program, metadata={})
    for form, content in (("ONNX, float32", whole), ("ONNX, float16 stored", in_float16(whole))):
        run = runner(graph, content)
        parity = measure(graph, run)
        speed = f"{rate(lambda: run(given)):,.0f}"  # noqa: B023
        found.append(
            [title, form, f"{len(content) / 1e6:.2f}", speed, f"{parity.largest:.1e}", f"{parity.differing:.2%}"]
        )
    return found


def opened(page: Path) -> tuple[float, float, int, str]:
    """Open a page in Chromium anew.

    Returns:
        Seconds to its first picture, seconds of processor time for all 16, round of its model, version of the browser.
    """
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        driver.execute_cdp_cmd("Performance.enable", {})
        driver.get(page.resolve().as_uri())
        while not driver.execute_script("return window.ready"):
            time.sleep(0.1)
        wall = driver.execute_script("return window.first")
        counted = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        played = driver.execute_script("return model.round")
        version = driver.capabilities["browserVersion"]
    finally:
        driver.quit()
    (seconds,) = (one["value"] for one in counted if one["name"] == "ProcessTime")
    return wall / 1000, seconds, played, version


def first_picture(page: Path) -> str:
    """Open a page several times; return a sentence on its size and on how soon its first picture is there."""
    found = [opened(page) for _ in range(OPENED)]
    walls, processor = sorted(one[0] for one in found), median(one[1] for one in found)
    (_, _, played, version), size = found[0], page.stat().st_size / 1e6
    return (
        f"The page {page.name}, of a model after {played:,} rounds, has {size:.2f} MB. In headless Chromium {version} "
        f"its first picture is there {median(walls):.2f} s after it was opened from a file (median of {OPENED}, "
        f"{walls[0]:.2f} to {walls[-1]:.2f}); all 16 took {processor:.2f} s of processor time. Neither size nor time "
        "depends on the number of rounds."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--page", type=Path)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    found = [HEADER, *(row for name, settings in CASES for row in rows(name, settings))]
    remarks = [
        f"Batches of {BATCH}, one thread, best of {PASSES}. Parity over 60 samples in batches of 1, 3 and 16; "
        "statistics of batch norm are those of samples, weights are fresh.",
        *([first_picture(options.page)] if options.page else []),
    ]
    print(table(found), *remarks, sep="\n")
    if options.save:
        save("export", "Exported generators", found, remarks)


if __name__ == "__main__":
    main()
