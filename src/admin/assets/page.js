// The live part of the operator's page: plots, fresh numbers, finding and copying. Text is only ever set as text.
"use strict";
{
  const at = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg", HEIGHT = 176, LEFT = 52, RIGHT = 8, TOP = 10, BOTTOM = 22;
  const make = (name, attributes, ...inner) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...inner);
    return element;
  };
  const round = (value, digits = 3) => String(+value.toPrecision(digits));
  const rate = (value) => (value >= 1000 ? `${round(value / 1000)} k` : value >= 100 ? value.toFixed(0) : round(value));
  const time = (seconds) => {
    if (seconds === null || seconds === undefined) return "–";
    return seconds < 0.001 ? `${round(seconds * 1e6)} µs` : seconds < 1 ? `${round(seconds * 1e3)} ms` : `${round(seconds)} s`;
  };
  const percent = (part) => `${round(part * 100)} %`;
  const format = (options) => (seconds) => new Date(seconds * 1000).toLocaleString([], { hourCycle: "h23", minute: "2-digit", ...options });
  const clock = format({ hour: "2-digit" }), exact = format({ hour: "2-digit", second: "2-digit" }), day = format({ weekday: "short", hour: "2-digit" });

  // Even steps for an axis that starts at zero: 1, 2 or 5 times a power of ten.
  const steps = (most) => {
    const raw = most / 3, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= raw);
    return [0, 1, 2, 3].map((count) => count * step);
  };

  // Draws lines over time into a figure. `series`: name and values, null where there is none.
  const draw = (figure, { times, series, show, when, most = 0, gap = Infinity, label }) => {
    if (times.length === 0) return;
    figure.hidden = false;
    const WIDTH = Math.max(figure.clientWidth, 260);
    when ??= times.at(-1) - times[0] < 600 ? exact : clock;
    const state = (figure.plot ??= { cursor: null });
    const largest = Math.max(0, ...series.flatMap((line) => line.values.map((value) => value ?? 0)));
    // Where there is nothing yet, the axis has no scale.
    const ticks = most ? [0, most / 2, most] : largest > 0 ? steps(largest) : [0];
    const top = ticks.at(-1) || 1, alone = times.length === 1 ? 1 : 0, from = times[0] - alone, to = times.at(-1) + alone;
    const x = (time) => LEFT + ((time - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM);
    const parts = [];
    for (const tick of ticks) {
      parts.push(make("line", { class: "grid", x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }));
      parts.push(make("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, show(tick)));
    }
    const marks = alone ? [] : times.length < 3 || WIDTH < 400 ? [from, to] : [from, (from + to) / 2, to];
    marks.forEach((mark, i) => parts.push(make("text", { x: x(mark), y: HEIGHT - 5, "text-anchor": i === 0 ? "start" : i === marks.length - 1 ? "end" : "middle" }, when(mark))));
    if (alone) parts.push(make("text", { x: x(times[0]), y: HEIGHT - 5, "text-anchor": "middle" }, when(times[0])));
    series.forEach((line, n) => {
      let path = "", area = "", open = null, last = null;
      const close = () => { if (open !== null) area += `L${x(last).toFixed(1)} ${y(0)}L${x(open).toFixed(1)} ${y(0)}Z`; open = null; };
      line.values.forEach((value, i) => {
        if (value === null) return close();
        if (open !== null && times[i] - last > gap) close();
        const point = `${x(times[i]).toFixed(1)} ${y(Math.min(value, top)).toFixed(1)}`;
        const move = open === null ? "M" : "L";
        if (open === null) open = times[i];
        path += move + point; area += move + point; last = times[i];
      });
      close();
      if (n === 0 && series.length < 3) parts.push(make("path", { class: "area s0", d: area }));
      parts.push(make("path", { class: `s${n % 5}`, d: path }));
      if (line.values.filter((value) => value !== null).length === 1) {
        const i = line.values.findIndex((value) => value !== null);
        parts.push(make("circle", { class: `s${n % 5}`, cx: x(times[i]), cy: y(line.values[i]), r: 4 }));
      }
    });
    const cursor = make("g", {});
    const point = () => {
      const i = state.cursor === null ? null : Math.min(state.cursor, times.length - 1);
      cursor.replaceChildren();
      if (i === null) { state.says.value = ""; return; }
      cursor.append(make("line", { class: "cursor", x1: x(times[i]), x2: x(times[i]), y1: TOP, y2: HEIGHT - BOTTOM }));
      series.forEach((line, n) => { if (line.values[i] !== null) cursor.append(make("circle", { class: `s${n % 5}`, cx: x(times[i]), cy: y(Math.min(line.values[i], top)), r: 4 })); });
      state.says.value = `${when(times[i])}: ${series.map((line) => `${series.length > 1 ? `${line.name} ` : ""}${line.values[i] === null ? "–" : show(line.values[i])}`).join(", ")}`;
    };
    if (!state.svg) {
      state.svg = make("svg", { tabindex: "0", role: "img" });
      state.says = document.createElement("output");
      figure.querySelector("figcaption").append(state.says);
      figure.append(state.svg);
      state.svg.addEventListener("pointermove", (event) => state.at(event.clientX));
      state.svg.addEventListener("pointerleave", () => state.to(null));
      state.svg.addEventListener("blur", () => state.to(null));
      state.svg.addEventListener("keydown", (event) => {
        const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12, Home: -Infinity, End: Infinity };
        if (event.key in moves) { state.by(moves[event.key]); event.preventDefault(); }
        if (event.key === "Escape") state.to(null);
      });
    }
    const caption = figure.querySelector("figcaption");
    caption.querySelectorAll(".key").forEach((key) => key.remove());
    if (series.length > 1) series.forEach((line, n) => {
      const key = document.createElement("span");
      key.className = `key s${n % 5}`;
      key.textContent = line.name;
      caption.insertBefore(key, state.says);
    });
    const latest = series.map((line) => `${line.name} ${line.values.at(-1) === null ? "none" : show(line.values.at(-1))}`).join(", ");
    state.svg.setAttribute("aria-label", `${label}, ${when(times[0])} to ${when(times.at(-1))}. Now: ${latest}. Arrow keys read values.`);
    state.to = (i) => { state.cursor = i === null ? null : Math.max(0, Math.min(times.length - 1, i)); point(); };
    state.by = (moves) => state.to((state.cursor ?? times.length) + moves);
    state.at = (clientX) => {
      const box = state.svg.getBoundingClientRect();
      const wanted = from + ((((clientX - box.left) * WIDTH) / box.width - LEFT) / (WIDTH - LEFT - RIGHT)) * (to - from);
      state.to(times.reduce((best, time, i) => (Math.abs(time - wanted) < Math.abs(times[best] - wanted) ? i : best), 0));
    };
    state.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    state.svg.replaceChildren(...parts, cursor);
    point();
  };

  const json = async (path) => {
    const answer = await fetch(path, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };
  const figure = (name) => document.querySelector(`[data-plot="${name}"]`);

  const traffic = ({ samples, every, requests }) => {
    const last = samples.at(-1), times = samples.map((sample) => sample.time), gap = every * 3;
    const of = (name) => samples.map((sample) => sample[name]);
    at("no-traffic").hidden = last !== undefined && requests > 0;
    if (!last) { at("no-traffic").textContent = "Measuring; the first figures come in a few seconds."; return; }
    if (requests === 0) at("no-traffic").textContent = "No request has come yet.";
    const now = { requests: rate(last.requests), errors: last.requests > 0 ? percent(last.errors / last.requests) : "–", p50: time(last.p50), p99: time(last.p99) };
    for (const tile of document.querySelectorAll("[data-now]")) {
      tile.textContent = now[tile.dataset.now];
      tile.classList.toggle("bad", tile.dataset.now === "errors" && last.errors > 0);
    }
    draw(figure("requests"), { times, gap, show: rate, label: "Requests a second", series: [{ name: "all", values: of("requests") }, { name: "5xx", values: of("errors") }] });
    draw(figure("added"), { times, gap, show: time, label: "Time that we add", series: [{ name: "half up to", values: of("p50") }, { name: "99 of 100 up to", values: of("p99") }] });
    draw(figure("acted"), { times, gap, show: rate, label: "Cookies and tags a second", series: [{ name: "removed", values: of("stripped") }, { name: "hardened", values: of("hardened") }] });
  };

  const choices = ({ sites }) => {
    const plots = at("choice-plots");
    for (const [site, { hours, categories }] of Object.entries(sites)) {
      let plot = [...plots.children].find((known) => known.dataset.site === site);
      if (!plot) {
        plot = document.createElement("figure");
        plot.dataset.site = site;
        plot.append(Object.assign(document.createElement("figcaption"), { textContent: `${site}: part of visitors who grant, by the hour` }));
        plots.append(plot);
      }
      const times = hours.map((hour) => hour.time);
      const part = (answers) => (answers ? answers.granted / (answers.granted + answers.refused) : null);
      const series = Object.keys(categories).map((name) => ({ name, values: hours.map((hour) => part(hour.categories[name])) }));
      draw(plot, { times, series, show: percent, when: day, most: 1, label: `Opt-in rates of ${site}` });
    }
  };

  // Parts of the page as the server has them now. What somebody works in is left alone.
  const refresh = async () => {
    const answer = await fetch(location.pathname + location.search, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(answer.status);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.title = fresh.title;
    const parts = [...document.querySelectorAll("[data-live]")].map((part) => [part, fresh.querySelector(`[data-live="${part.dataset.live}"]`)]);
    parts.push([at("alerts"), fresh.getElementById("alerts")]);
    for (const [old, now] of parts) {
      const busy = old.contains(document.activeElement) || old.querySelector("details[open]") || String(getSelection()) !== "";
      if (!now || busy || old.isEqualNode(now)) continue;
      const scrolled = [...old.querySelectorAll(".scroll")].map((box) => [box.scrollLeft, box.scrollTop]);
      old.replaceChildren(...now.childNodes);
      old.className = now.className;
      old.querySelectorAll(".scroll").forEach((box, i) => box.scrollTo(...(scrolled[i] ?? [0, 0])));
    }
    copying();
    find();
  };

  const copying = () => {
    for (const button of document.querySelectorAll(".copy[hidden]")) button.hidden = !navigator.clipboard;
  };
  document.addEventListener("click", async ({ target }) => {
    if (!(target instanceof Element) || !target.matches(".copy")) return;
    await navigator.clipboard.writeText(target.previousElementSibling.textContent);
    target.textContent = "Copied";
    setTimeout(() => { target.textContent = "Copy rule"; }, 2000);
  });

  // The filters ask the server as they are changed; the text looks through what is shown.
  const find = () => {
    const wanted = at("find").value.trim().toLowerCase(), rows = [...document.querySelectorAll("#inventory tbody tr")];
    for (const row of rows) row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
    if (at("shown") && wanted !== "") at("shown").value = rows.filter((row) => !row.hidden).length;
  };
  at("find").closest("label").hidden = false;
  at("find").addEventListener("input", find);
  at("find").addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  for (const field of document.querySelectorAll("#findings select, #findings input[type=checkbox]")) field.addEventListener("change", () => field.form.requestSubmit());

  let failed = 0, last = [];
  const plots = () => { if (last.length > 0) { traffic(last[0]); choices(last[1]); } };
  addEventListener("resize", plots);
  const loop = async () => {
    let every = 5;
    try {
      if (!document.hidden) {
        last = await Promise.all([json("/api/traffic"), json("/api/choices")]);
        every = last[0].every;
        plots();
        if (failed > 0 || loop.turns++ % 2 === 1) await refresh();
      }
      failed = 0;
      at("fresh").textContent = "";
    } catch {
      failed += 1;
      at("fresh").textContent = "– no answer; what you see is old";
    }
    setTimeout(loop, every * 1000);
  };
  loop.turns = 0;
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh().catch(() => {}); });
  copying();
  loop();
}
