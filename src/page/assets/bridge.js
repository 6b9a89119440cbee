// Tells Consentry what the visitor chose in the site's own consent tool, whose record no server can read.
// Only what the visitor decided is told, never a default of the tool.
(() => {
  'use strict';
  const { src, dataset: { tool } } = document.currentScript;
  const choice = new URL('choice', src), KEY = 'consentry-told';
  let told = null;
  try { told = sessionStorage.getItem(KEY); } catch { /* then each page tells it again */ }

  const tell = groups => {
    const names = Object.keys(groups).sort();
    const form = new URLSearchParams([['decision', 'tool'], ...names.map(name => [groups[name] ? 'granted' : 'refused', name])]);
    const text = String(form);
    if (!names.length || text === told) return;
    told = text;
    fetch(choice, { method: 'POST', body: form, credentials: 'same-origin', keepalive: true }).then(answer => {
      if (!answer.ok) throw answer.status;
      try { sessionStorage.setItem(KEY, text); } catch { /* as above */ }
      document.dispatchEvent(new CustomEvent('consentry:change', { bubbles: true }));
    }).catch(() => { told = null; });
  };

  // The tool may come at any time: its tag stands anywhere, and often waits for another.
  const when = (ready, then) => {
    const timer = setInterval(() => {
      if (!ready()) return;
      clearInterval(timer);
      then();
    }, 100);
    setTimeout(clearInterval, 60000, timer);
  };

  const tools = {
    osano() {
      const saved = consent => {
        if (!consent) return; // nobody has decided yet
        const groups = {};
        for (const [name, answer] of Object.entries(consent)) {
          if (name === 'OPT_OUT') groups.SALE = answer !== 'ACCEPT';
          else groups[name] = answer === 'ACCEPT';
        }
        tell(groups);
      };
      when(() => window.Osano?.cm?.addEventListener, () => {
        for (const event of ['initialized', 'consent-saved']) window.Osano.cm.addEventListener(`osano-cm-${event}`, saved);
      });
    },

    usercentrics() {
      const add = (groups, category, name, given) => {
        groups[category] = given && groups[category] !== false;
        groups[`service:${name}`] = given;
      };
      // Version 3 tells all in the event, and how it came about.
      const details = ({ consent, services }) => {
        if (consent?.type !== 'EXPLICIT') return;
        const groups = {};
        for (const { category, name, consent } of Object.values(services ?? {})) add(groups, category, name, !!consent?.given);
        tell(groups);
      };
      addEventListener('UC_CONSENT', event => details(event.detail ?? {}));
      when(() => window.__ucCmp?.getConsentDetails, async () => details(await window.__ucCmp.getConsentDetails() ?? {}));
      // Version 2 tells of the click, and knows a moment later what it meant.
      const decided = ['ACCEPT_ALL', 'DENY_ALL', 'SAVE'];
      addEventListener('UC_UI_CMP_EVENT', event => {
        if (!decided.includes(event.detail?.type) || !window.UC_UI?.getServicesBaseInfo) return;
        setTimeout(() => {
          const groups = {};
          for (const { categorySlug, name, consent } of window.UC_UI.getServicesBaseInfo()) {
            add(groups, categorySlug, name, !!consent?.status);
          }
          tell(groups);
        }, 500);
      });
    },

    termly() {
      when(() => window.Termly?.on, () => {
        window.Termly.on('consent', data => tell(data?.consentState ?? window.Termly.getConsentState?.() ?? {}));
      });
    },
  };
  tools[tool]?.();
})();
