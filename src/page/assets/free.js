// Frees the elements that Consentry left inert, as far as this visitor has granted what they need.
// They go back to what they were, in their own places: their nonces and listeners stay with them.
(() => {
  'use strict';
  const NEEDS = 'data-consentry-needs', ASIDE = 'data-consentry-', XLINK = 'http://www.w3.org/1999/xlink';
  const me = document.currentScript, choice = new URL('choice', me.src);

  // Pages may ask that whoever writes addresses of scripts says so. These were written by the site itself.
  let trusted = null;
  try {
    trusted = window.trustedTypes?.createPolicy('consentry', { createScriptURL: url => url, createHTML: html => html });
  } catch { /* a site that allows no such policy keeps its scripts inert */ }

  const set = (element, name, value) => {
    if (name === 'xlink-href') element.setAttributeNS(XLINK, 'xlink:href', value);
    else if (name === 'src' && element.localName === 'script') {
      element.setAttribute(name, trusted ? trusted.createScriptURL(value) : value);
    } else if (name === 'srcdoc') element.setAttribute(name, trusted ? trusted.createHTML(value) : value);
    else element.setAttribute(name, value);
  };

  const isInertScript = element => element.localName === 'script' && element.getAttribute('type') === 'text/plain';

  const restore = element => {
    element.removeAttribute(NEEDS);
    if (element.hasAttribute(ASIDE + 'placeholder')) {
      element.removeAttribute(ASIDE + 'placeholder');
      element.removeAttribute('srcdoc');
    }
    if (isInertScript(element)) element.removeAttribute('type');
    for (const { name, value } of [...element.attributes]) {
      if (!name.startsWith(ASIDE)) continue;
      element.removeAttribute(name);
      set(element, name.slice(ASIDE.length), value);
    }
  };

  // Browsers look at these when they come into the page, and not again.
  const comesAgain = element => isInertScript(element) || ['meta', 'source'].includes(element.localName);

  // Resolves when whatever stands behind the element may go on.
  const free = element => new Promise(done => {
    const parent = element.parentNode, next = element.nextSibling;
    if (!parent || !comesAgain(element)) {
      restore(element);
      return done();
    }
    element.remove();
    restore(element);
    const script = element.localName === 'script';
    const external = script && (element.hasAttribute('src') || element.hasAttribute('href'));
    if (external && !element.hasAttribute('async') && !element.noModule) {
      element.async = false;
      for (const event of ['load', 'error']) element.addEventListener(event, done, { once: true });
      // Of a type that no browser runs, or of a host that does not answer.
      setTimeout(done, 5000);
      parent.insertBefore(element, next);
      return;
    }
    // Now that the page is complete, what an inline script writes would replace it.
    if (script && !external) document.write = document.writeln = () => {};
    parent.insertBefore(element, next);
    if (script && !external) {
      delete document.write;
      delete document.writeln;
    }
    done();
  });

  const granted = (held, need) => {
    const colon = need.indexOf(':'), key = need.slice(colon + 1);
    const answers = { category: held.categories, service: held.services }[need.slice(0, colon)];
    return answers?.[key] === true;
  };

  let running = Promise.resolve();
  const run = () => {
    running = running.then(async () => {
      if (!document.querySelector(`[${NEEDS}]`)) return;
      const answer = await fetch(choice, { credentials: 'same-origin', cache: 'no-store' });
      if (!answer.ok) return;
      const held = await answer.json();
      for (const element of document.querySelectorAll(`[${NEEDS}]`)) {
        const needs = element.getAttribute(NEEDS)?.split(' ') ?? [];
        if (needs.length && needs.every(need => granted(held, need))) {
          try {
            await free(element);
          } catch { /* what the page does not let us free stays inert, and the next one may go */ }
        }
      }
    }).catch(() => {});
  };

  // Where the page has been made for this visitor, nothing waits until the visitor changes something.
  if ('later' in me.dataset) { /* nothing yet */ }
  else if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', run);
  else run();
  document.addEventListener('consentry:change', run);
})();
