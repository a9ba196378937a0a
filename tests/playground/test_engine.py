"""The engine's parts: derivatives, data, measures, links, and what is shared with zerosum."""

from __future__ import annotations

import html
import io

import numpy as np
import pytest
import torch

from tests.playground.conftest import Node
from zerosum.data.sources import toys
from zerosum.doctor import variety
from zerosum.metrics.modes import ceiling, mixture_modes
from zerosum.playground.build import PAGE, doctor, page

DERIVATIVES = """
const random = new Twister(1), draw = (r, c) => matrix(Float64Array.from(normals(random, r * c)), r, c);
const formulas = {
  product: (a) => product(a, draw4, true, true), affine: (a) => affine(a, draw5, bias), tanh, softplus, sigmoid,
  rectify: (a) => multiply(rectify(a, 0.2), a), root: (a) => root(scale(square(a), 1, 0.5)),
  reciprocal: (a) => reciprocal(scale(square(a), 1, 1)), rows: (a) => multiply(a, repeatRows(sumRows(a), 4)),
  cols: (a) => multiply(a, repeatCols(sumCols(a), 3)), subtract: (a) => square(subtract(a, draw3)),
};
const draw3 = draw(4, 3), draw4 = draw(5, 4), draw5 = draw(2, 3), bias = draw(1, 2), x = draw(4, 3), along = draw(4, 3);
const worst = {};
for (const [name, formula] of Object.entries(formulas)) {
  // the slope of |grad f|^2 along a direction, by the tape and by differences
  const steep = (at) => mean(square(gradients(square(formula(at)), [at], true)[0]));
  const [slope] = gradients(steep(x), [x]);
  const exact = sum([...slope.data].map((value, i) => value * along.data[i])), h = 1e-5;
  const moved = (s) => steep(matrix(x.data.map((value, i) => value + s * along.data[i]), 4, 3)).data[0];
  const estimate = (moved(h) - moved(-h)) / (2 * h);
  worst[name] = Math.abs(exact - estimate) / Math.max(1, Math.abs(estimate));
}
const points = {}, half = {};
for (const data of Object.keys(SETTINGS.data.values)) {
  points[data] = realPoints(data, 4000, new Twister(0), [[0.5, 0.5], [-0.5, 1]]);
  half[data] = halfWidth(data);
}
const samples = points.ring8.slice(0, 500), counted = countModes(samples, MIXTURES.ring8);
const hash = "data=drawn&loss=hinge&generator_lr=0.01&seed=7&points=AA_-z9", again = fromHash(hash);
const wrong = fromHash("#loss=<script>&seed=-1&width=9e9&layers=&batch=64&lesson=__proto__&points=A");
const refused = Object.entries(wrong.settings).filter(([name, value]) => value !== SETTINGS[name].value);
answer({
  worst, points, half, counted, distance: meanDistance(samples.slice(0, 128)), perfect: ceiling(8, 1000),
  hash: toHash(again.settings, again), drawn: again.drawn, refused, mixtures: MIXTURES,
  near: Object.fromEntries(["moons", "spiral"].map((data) => {
    const part = (from) => Float64Array.from(points[data].slice(2 * from, 2 * (from + 400)));
    const near = new Nearness(part(0), part(400));
    return [data, [near.of(part(800)), near.of(new Float64Array(800))]];
  })),
});
"""


def test_the_engine_s_parts(node: Node):  # one process of node: its start is most of the time
    found = node(DERIVATIVES)
    assert found["worst"] == pytest.approx(dict.fromkeys(found["worst"], 0.0), abs=1e-6)
    for name, mixture in ((name, found["mixtures"][name]) for name in toys.NAMES):
        centres, sigma = toys.modes(name)
        assert (np.asarray(mixture["centres"]), mixture["sigma"]) == (pytest.approx(centres, abs=1e-12), sigma)
    samples = torch.tensor(found["points"]["ring8"][:500]).view(-1, 2)
    count = mixture_modes(samples, torch.from_numpy(toys.modes("ring8")[0]), sigma=0.01)
    assert (found["counted"]["found"], found["counted"]["share"]) == (count.found, pytest.approx(count.high_quality))
    assert found["counted"]["hits"] == count.histogram.tolist()
    assert found["distance"] == pytest.approx(variety.mean_distance(samples[:64]), rel=1e-5)
    perfect = ceiling(8, 1000, within=3.0)
    assert found["perfect"] == pytest.approx({"found": perfect.found, "share": perfect.high_quality})
    for data, points in found["points"].items():
        inside = np.abs(points) < found["half"][data]
        assert inside.mean() > 0.98, f"{data} does not fit the plane"
    for whole, heap in found["near"].values():
        assert whole["share"] > 0.95
        assert whole["covered"] > 0.95
        assert heap["covered"] < 0.1
    assert found["hash"] == "data=drawn&loss=hinge&generator_lr=0.01&seed=7&points=AA_-z9"
    assert len(found["drawn"]) == 3
    assert found["refused"] == [["batch", 64]], "a link has set what no control can"


def test_points_are_saved_as_numpy_reads_them(node: Node, tmp_path):
    from importlib.resources import files

    text = (files("zerosum.playground") / "page" / "app.js").read_text()
    function = text[text.index("/** A .npy file") :]
    saved = node(f"{function}\nanswer(npy(Float64Array.of(1, 2, 3, 4, 5.5, -6), 2));")
    assert np.load(io.BytesIO(bytes(saved))).tolist() == [[1, 2], [3, 4], [5.5, -6]]


def test_the_page_is_one_small_file_that_may_ask_for_nothing():
    text = page()
    assert len(text.encode()) < 300_000
    policy = html.unescape(text.split('Content-Security-Policy" content="')[1].split('"')[0])
    assert {"connect-src 'none'", "default-src 'none'"} <= set(policy.split("; "))
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "src=" not in text
    assert {"main.js", "app.js"} <= set(PAGE)


def test_the_page_has_the_doctor_s_own_thresholds(monkeypatch):
    from zerosum.doctor.signs import mode_collapse

    assert doctor()["thresholds"]["mode-collapse"]["COMPLETE"] == mode_collapse.COMPLETE
    monkeypatch.setattr(mode_collapse, "COMPLETE", 0.123)
    assert doctor()["thresholds"]["mode-collapse"]["COMPLETE"] == 0.123
    assert '"COMPLETE": 0.123' in page()
