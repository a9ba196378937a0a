"use strict";
// The studio: what runs make, and how their training goes, asked for again while it changes.
const send = (path, body) =>
  fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const sentence = async (answer) => (await answer.json().catch(() => ({}))).detail || `The server said ${answer.status}.`;

// The training of a run, within the element that names the run.
const watch = (root) => {
  const api = root.dataset.api;
  const by = (name) => root.querySelector(`.${name}`);
  const post = (path, body) => send(api + path, body);

  let etag = "", rounds = [], follow = true;

  const show = () => {
    const round = rounds[by("round").valueAsNumber];
    if (round === undefined) return;
    by("shown").textContent = round.toLocaleString("en");
    by("preview").src = `${api}/previews/${round}`;
  };

  const update = (state) => {
    const open = [...by("live").querySelectorAll("details")].map((one) => one.open);
    by("live").innerHTML = state.html;  // made by the server's templates, in which every name is escaped
    by("live").querySelectorAll("details").forEach((one, place) => { one.open = Boolean(open[place]); });
    by("how").textContent = state.training ? "In progress." : "Not in progress on this machine.";
    by("act").hidden = !state.training;
    rounds = state.previews;
    by("previews").hidden = rounds.length === 0;
    by("round").max = Math.max(0, rounds.length - 1);
    if (follow) by("round").value = rounds.length - 1;
    show();
  };

  const poll = async () => {
    try {
      const answer = await fetch(`${api}/live`, { headers: etag ? { "If-None-Match": etag } : {}, cache: "no-store" });
      if (answer.ok) {
        etag = answer.headers.get("ETag");
        update(await answer.json());
      }
    } catch {
      by("how").textContent = "The server does not answer.";
    }
    setTimeout(poll, document.hidden ? 15000 : 2000);
  };

  by("round").addEventListener("input", () => {
    follow = by("round").valueAsNumber === rounds.length - 1;
    show();
  });

  by("checkpoint").addEventListener("click", async () => {
    const answer = await post("/save", {});
    by("how").textContent = answer.ok ? "In progress. It saves after this round." : await sentence(answer);
  });

  by("stop").addEventListener("click", async () => {
    if (!confirm("Stop the training? It saves a checkpoint first; zerosum train --resume goes on with it.")) return;
    const answer = await post("/stop", { confirm: true });
    by("how").textContent = answer.ok ? "Stopping: it saves first." : await sentence(answer);
  });

  poll();
};

// What a run generates.
const sandbox = (api) => {
  const by = (id) => document.getElementById(id);

  by("ask")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const first = by("seed").valueAsNumber || 0;
    const seeds = Array.from({ length: Math.min(64, by("count").valueAsNumber || 1) }, (_, place) => first + place);
    const answer = await send(`${api}/samples`, { seeds, format: "json" });
    by("said").textContent = answer.ok ? "" : await sentence(answer);
    if (!answer.ok) return;
    const { images } = await answer.json();
    by("made").replaceChildren(...images.map((one) => {
      const image = new Image();
      image.src = `data:image/png;base64,${one.png}`;
      image.alt = image.title = `Seed ${one.seed}, round ${one.round}`;
      return image;
    }));
    const packed = await send(`${api}/samples`, { seeds, format: "zip" });
    if (packed.ok) {
      URL.revokeObjectURL(by("save").href);
      by("save").href = URL.createObjectURL(await packed.blob());
      by("save").hidden = false;
    }
  });
};

document.querySelectorAll("[data-api]").forEach(watch);
sandbox(document.body.dataset.api);
