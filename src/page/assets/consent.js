// The page's side of Consentry: takes the banner's choice without leaving the page, and tells others of it.
(site => {
  'use strict';
  const me = document.currentScript, at = path => new URL(path, me.src), may = 'fetch' in me.dataset;
  const listeners = new Set(), banner = () => document.getElementById('consentry');

  const read = (chosen, words) => {
    const held = new Set(words), categories = {}, services = {};
    for (const key of site.categories) categories[key] = held.has(key);
    for (const [key, category] of Object.entries(site.services)) {
      services[key] = held.has('+' + key) || (categories[category] && !held.has('-' + key));
    }
    return { chosen, categories, services };
  };
  const required = read(false, site.required);
  let state = 'granted' in me.dataset ? read('chosen' in me.dataset, me.dataset.granted.split(' ')) : required;

  // Google's Consent Mode: what all tags go by comes before any of them.
  const layer = window.dataLayer ||= [];
  function gtag() { layer.push(arguments); }
  const types = held => Object.fromEntries(Object.entries(site.types).map(([type, keys]) =>
    [type, keys.length && keys.every(key => held.categories[key]) ? 'granted' : 'denied']));
  const update = () => {
    if (site.types) gtag('consent', 'update', types(state));
    layer.push({ event: 'consentry_consent', consentry: state });
  };
  if (site.types) gtag('consent', 'default', { ...types(required), ...(state.chosen ? {} : { wait_for_update: 500 }) });
  if (state.chosen || JSON.stringify(state.categories) !== JSON.stringify(required.categories)) update();

  const ask = async () => {
    const answer = await fetch(at('choice'), { credentials: 'same-origin', cache: 'no-store' });
    if (!answer.ok) throw new Error(answer.status);
    const { chosen, categories, services } = await answer.json();
    return { chosen, categories, services };
  };

  // Our own pages: in the language of this one, and back to it.
  const ours = path => at(path + '?return_to=' + encodeURIComponent(location.pathname + location.search)
    + (document.documentElement.lang && '&language=' + encodeURIComponent(document.documentElement.lang)));

  // What answered a form is asked for anew, and not by sending the form a second time.
  const again = () => 'posted' in me.dataset ? location.replace(location.pathname + location.search) : location.reload();

  // What was running cannot be taken back, and what is not in the page cannot be freed: then the page is loaded again.
  const settle = next => {
    const of = held => ({ ...held.services, ...Object.fromEntries(
      Object.entries(held.categories).map(([key, is]) => ['category ' + key, is])) });
    const before = of(state), after = of(next), keys = Object.keys(after);
    const lost = keys.some(key => before[key] && !after[key]), won = keys.some(key => !before[key] && after[key]);
    state = next;
    banner()?.remove();
    if (lost || (won && !site.frees)) return again();
    update();
    document.dispatchEvent(new CustomEvent('consentry:change', { detail: state }));
    for (const listener of listeners) {
      try { listener(state); } catch (error) { reportError(error); }
    }
  };

  addEventListener('submit', async event => {
    const form = event.target, button = event.submitter;
    if (!may || !form.closest?.('#consentry') || !form.hasAttribute('data-fetch') || !button?.value) return;
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    body.set(button.name, button.value);
    try {
      const answer = await fetch(at('choice'), { method: 'POST', body, credentials: 'same-origin', redirect: 'manual' });
      if (answer.type !== 'opaqueredirect') throw new Error(answer.status);
      settle(await ask());
    } catch {
      // As without this script: the answer is a page that says what is wrong.
      const decision = document.createElement('input');
      Object.assign(decision, { type: 'hidden', name: button.name, value: button.value });
      form.append(decision);
      HTMLFormElement.prototype.submit.call(form);
    }
  }, true);

  // A page that comes back out of the browser's memory may be of an older mind.
  addEventListener('pageshow', async event => {
    if (!event.persisted) return;
    try {
      const next = may ? await ask() : null;
      if (JSON.stringify(next) !== JSON.stringify(state)) next ? settle(next) : again();
    } catch { /* without an answer nothing is known better */ }
  });

  // A page that is the same for everybody brings no banner: here it comes. Parsed as a document, it needs no leave of
  // those pages that let nobody write HTML.
  const shared = async () => {
    state = await ask();
    if (state.chosen) update();
    const request = new XMLHttpRequest();
    request.open('GET', ours('banner'));
    request.responseType = 'document';
    request.onload = () => {
      const found = request.status === 200 && request.response?.getElementById('consentry');
      if (found && !banner()) document.body.prepend(document.importNode(found, true));
    };
    request.send();
  };
  if (site.shared && may && window.top === window) {
    const begin = () => shared().catch(() => {});
    if (document.readyState === 'loading') addEventListener('DOMContentLoaded', begin);
    else begin();
  }

  const api = Object.freeze({
    get: () => structuredClone(state),
    open: () => location.assign(ours('./')),
    onChange: listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  });
  // Browsers name elements on `window` by their ids, the banner's too.
  if (!Object.hasOwn(window, 'consentry')) Object.defineProperty(window, 'consentry', { value: api, configurable: true });
})
