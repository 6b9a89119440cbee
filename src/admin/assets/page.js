// The live part of the operator's page: two plots, and copying. Text is only ever set as text.
"use strict";
{
  const EVERY = 2000, KEPT = 150;
  const at = (id) => document.getElementById(id);
  const points = [];
  let before;

  const percentile = (bounds, counts, part) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    if (all === 0) return null;
    let below = 0;
    for (let i = 0; i < bounds.length; i++) {
      below += counts[i];
      if (below >= part * all) return bounds[i];
    }
    return bounds[bounds.length - 1];
  };
  const time = (seconds) => (seconds === null ? "–" : `${+(seconds * 1000).toPrecision(3)} ms`);

  const draw = (svg, ...series) => {
    const most = Math.max(...series.flat().filter((value) => value !== null), 1e-9);
    svg.replaceChildren(...series.map((values) => {
      const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
      const shift = KEPT - values.length;
      const place = (value, i) => `${((shift + i) * 600) / (KEPT - 1)},${(118 - (value * 112) / most).toFixed(1)}`;
      line.setAttribute("points", values.map((value, i) => place(value ?? 0, i)).join(" "));
      return line;
    }));
  };

  const look = async () => {
    const answer = await fetch("/api/traffic");
    if (!answer.ok) return;
    const now = { ...(await answer.json()), at: performance.now() };
    if (before && now.started === before.started) {
      const rate = ((now.requests - before.requests) * 1000) / (now.at - before.at);
      const added = now.added.map((count, i) => count - before.added[i]);
      points.push([rate, percentile(now.bounds, added, 0.5), percentile(now.bounds, added, 0.99)]);
      if (points.length > KEPT) points.shift();
      at("traffic").hidden = false;
      at("rate").value = rate.toFixed(1);
      at("p50").value = time(points.at(-1)[1]);
      at("p99").value = time(points.at(-1)[2]);
      draw(at("rate-plot"), points.map((point) => point[0]));
      draw(at("added-plot"), points.map((point) => point[1]), points.map((point) => point[2]));
    }
    before = now;
  };
  const loop = () => look().catch(() => {}).finally(() => setTimeout(loop, EVERY));
  loop();

  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = !navigator.clipboard;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.previousElementSibling.textContent);
      button.textContent = "Copied";
    });
  }
}
