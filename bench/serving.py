"""Latency, throughput, CPU time and memory of `zerosum serve`, beside LitServe with the same model.

python -m bench.serving --save                     ours alone
python -m bench.serving --litserve FOLDER --save   FOLDER: where `pip install --target FOLDER litserve` put it

A DCGAN of 64 x 64 pixels in colour, one PNG a request, over loopback. CPU time and memory are of all processes of a
server, from /proc; clients run in this process.
"""

from __future__ import annotations

import argparse
import http.client
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from bench import results
from zerosum import api
from zerosum.data.batch import to_uint8
from zerosum.layers.at_use import narrow_weights, order_weights
from zerosum.run.directory import Run
from zerosum.run.load import load
from zerosum.runtime.progress import Silent

CLIENTS = (1, 8, 32)
PRECISIONS = ("float32", "bfloat16")
HEADER = ("server", "clients", "p50 ms", "p95 ms", "samples/s", "CPU ms a sample", "resident MB", "processes")
LITSERVE = """
import io, sys
import litserve, torch
from zerosum.inference.latents import latent_of_seed
from zerosum.media.image_grid import picture
from zerosum.run.load import load

class Serving(litserve.LitAPI):
    def setup(self, device):
        torch.set_num_threads(1)
        self.recipe = load(sys.argv[1], device="cpu")
    def decode_request(self, request):
        return latent_of_seed(self.recipe, request["seeds"][0])[0]
    def batch(self, inputs):
        return torch.stack(inputs)
    def predict(self, latents):
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=sys.argv[3] == "bfloat16"):
            return self.recipe.sample(len(latents), latent=latents).float()
    def unbatch(self, output):
        return list(output)
    def encode_response(self, output):
        buffer = io.BytesIO()
        picture(output[None]).save(buffer, format="PNG")
        from starlette.responses import Response
        return Response(buffer.getvalue(), media_type="image/png")

if __name__ == "__main__":
    api = Serving(max_batch_size=32, batch_timeout=0.005, api_path="/v1/samples")
    litserve.LitServer(api, accelerator="cpu").run(
        host="127.0.0.1", port=int(sys.argv[2]), generate_client_file=False, log_level="error")
"""


def make_run(folder: Path) -> Path:
    """Train a DCGAN for one round: what it costs does not depend on how good it is."""
    (folder / "images").mkdir()
    for index in range(8):
        pixels = np.random.default_rng(index).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / f"{index}.png")
    settings = {"rounds": 1, "batch": 8, "previews": 4, "device": "cpu"}
    return api.train(folder / "images", recipe="dcgan", run=folder / "run", progress=Silent(), **settings).path


def family(number: int) -> list[int]:
    """Return a process and all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = [number]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def cpu_seconds(numbers: list[int]) -> float:
    ticks = 0
    for number in numbers:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident(numbers: list[int]) -> float:
    """Return the proportional set size of processes in MB: memory that they share is counted once."""
    total = 0
    for number in numbers:
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def load_test(port: int, clients: int, seconds: float) -> list[float]:
    """Return the latency of every request that clients made, one after the other each, in seconds."""
    latencies: list[float] = []
    ends = time.perf_counter() + seconds

    def client(number: int) -> None:
        connection, seed = http.client.HTTPConnection("127.0.0.1", port, timeout=60), number
        while time.perf_counter() < ends:
            began = time.perf_counter()
            seed += 1000
            connection.request("POST", "/v1/samples", f'{{"seeds": [{seed}]}}', {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            assert (answer.status, content[1:4]) == (200, b"PNG"), content[:200]
            latencies.append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


def measure(name: str, command: list[str], port: int, seconds: float, path: str) -> list[list[str]]:
    """Start a server, load it with each number of clients, and end it."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, start_new_session=True)
    rows = []
    try:
        wait_for(port)
        load_test(port, 8, 3)
        for clients in CLIENTS:
            numbers = family(server.pid)
            before, began = cpu_seconds(numbers), time.perf_counter()
            latencies = load_test(port, clients, seconds)
            took, cpu = time.perf_counter() - began, cpu_seconds(numbers) - before
            cuts = statistics.quantiles([1000 * one for one in latencies], n=20)
            row = [cuts[9], cuts[18], len(latencies) / took, 1000 * cpu / len(latencies), resident(numbers)]
            rows.append([name, str(clients), *(f"{value:.1f}" for value in row), str(len(numbers))])
            print(" ".join(rows[-1]), flush=True)
    finally:
        os.killpg(server.pid, 9)
        server.wait()
    return rows


def loaded(run: Path, precision: str) -> Any:
    """Return the recipe of a run as a server has it, on one thread."""
    torch.set_num_threads(1)
    recipe: Any = load(Run.open(run), device="cpu")
    if precision == "bfloat16":
        narrow_weights(recipe)
    order_weights(recipe)
    return recipe


def arithmetic(precision: str) -> torch.autocast:
    return torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16")


def differences(run: Path) -> str:
    """Compare samples in bfloat16 with those in float32, as 8-bit values."""
    latent = loaded(run, "float32").prior(64)
    made = []
    for precision in PRECISIONS:
        recipe = loaded(run, precision)
        with torch.inference_mode(), arithmetic(precision):
            made.append(to_uint8(torch.cat([recipe.sample(16, latent=one).float() for one in latent.split(16)])).int())
    apart = (made[0] - made[1]).abs()
    return f"{int(apart.max())} levels of 255 at most, {float((apart > 0).double().mean()):.2%} of values"


def generator_alone(run: Path, precision: str) -> list[list[str]]:
    """Time the generator without a server, in batches as large as the numbers of clients, on one thread."""
    recipe, rows = loaded(run, precision), []
    for count in CLIENTS:
        latent = recipe.prior(count)
        with torch.inference_mode(), arithmetic(precision):
            times = []
            for _ in range(60):
                began = time.process_time()
                recipe.sample(count, latent=latent)
                times.append(1000 * (time.process_time() - began) / count)
        best = f"{statistics.median(times):.1f}"
        rows.append([f"generator alone, {precision}", f"batch of {count}", "", "", "", best, "", "1"])
        print(" ".join(rows[-1]), flush=True)
    return rows


def generator_on_both_cores(run: Path, precision: str) -> list[list[str]]:
    """Generate batches of 32 in two threads at once, each with one of PyTorch; the rate is of two whole cores."""
    recipe = loaded(run, precision)
    latent = recipe.prior(CLIENTS[-1])

    def costs(_: int) -> list[float]:
        found = []
        with torch.inference_mode(), arithmetic(precision):
            for _ in range(60):
                began = time.thread_time()
                recipe.sample(len(latent), latent=latent)
                found.append(1000 * (time.thread_time() - began) / len(latent))
        return found

    with ThreadPoolExecutor(2) as pool:
        cost = statistics.median([one for found in pool.map(costs, range(2)) for one in found])
    batch, rate = f"two batches of {len(latent)} at once", f"{2000 / cost:.0f} on two cores"
    rows = [[f"generator alone, {precision}", batch, "", "", rate, f"{cost:.1f}", "", "1"]]
    print(" ".join(rows[-1]), flush=True)
    return rows


def wait_for(port: int) -> None:
    for _ in range(240):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("POST", "/v1/samples", '{"seeds": [0]}', {"Content-Type": "application/json"})
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.5)
    raise SystemExit("The server does not answer.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--litserve")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--trained", type=Path, help="a run whose samples in both precisions are compared")
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    source = str(results.ROOT / "src")
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder))
        rows = []
        for precision in PRECISIONS:
            ours = [sys.executable, "-m", "zerosum", "serve", str(run), "--port", "8771", "--device", "cpu"]
            command = [*ours, "--precision", precision]
            rows += measure(f"zerosum serve, {precision}", command, 8771, given.seconds, source)
        for precision in PRECISIONS:
            rows += generator_alone(run, precision) + generator_on_both_cores(run, precision)
        script = Path(folder, "serving.py")
        script.write_text(LITSERVE)
        for precision in PRECISIONS if given.litserve else ():
            command = [sys.executable, str(script), str(run), "8772", precision]
            path = f"{source}:{given.litserve}"
            rows += measure(f"LitServe, {precision}", command, 8772, given.seconds, path)
        apart = differences(given.trained or run)
    if given.save:
        remarks = [
            "One PNG a request of a DCGAN, 64 x 64 in colour, over loopback on the CPU, one thread of PyTorch; "
            "LitServe: max_batch_size 32, batch_timeout 5 ms, one worker.",
            f"Load of the machine while it was measured: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores. Times of "
            "clients are of a shared machine; CPU time and memory are the servers' own.",
            f"bfloat16 beside float32, {'a trained run' if given.trained else 'an untrained run'}: {apart}.",
            "Memory is proportional set size: what processes share is counted once.",
        ]
        results.save("serving", "Serving", [HEADER, *rows], remarks)


if __name__ == "__main__":
    main()
