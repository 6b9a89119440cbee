// Deletes what services that this visitor does not allow have stored in the browser.
(rules => {
  'use strict';
  const tests = rules.map(([kind, text]) => {
    if (kind === '=') return key => key === text;
    if (kind === '^') return key => key.startsWith(text);
    try {
      const pattern = new RegExp(text);
      return key => pattern.test(key);
    } catch {
      return () => false;
    }
  });
  for (const area of ['localStorage', 'sessionStorage']) {
    try {
      const storage = window[area];
      for (const key of Object.keys(storage)) {
        if (tests.some(test => test(key))) storage.removeItem(key);
      }
    } catch { /* a browser that keeps its storage closed has nothing in it for us */ }
  }
})(
