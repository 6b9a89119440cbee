// Holds scripts of the page to what the policy lets this visitor have, as the proxy holds the page itself. What is
// stopped looks as if the network had failed; what can be made up for is, once the visitor allows it.
(policy => {
  'use strict';
  const me = document.currentScript, { granted, loads, report, observe } = me.dataset;
  const { apply, construct } = Reflect, later = setTimeout, at = path => new URL(path, me.src);
  const ask = fetch, send = navigator.sendBeacon, held = new Map;

  // By the number of an owner: whether its cookies and keys may be kept, and its tags may load.
  let keeps, contacts;
  const may = kind => kind === 'tag' ? contacts : keeps;
  const allowed = text => policy.owners.map(owner => {
    const words = text.split(' '), [category, service = '-'] = owner.replace('!', '').split(' ');
    return category === '*' || words.includes('+' + service) || (words.includes(category) && !words.includes('-' + service));
  });
  const settle = words => {
    keeps = allowed(words);
    contacts = loads ? allowed(words + ' ' + loads) : keeps;
    for (const [key, [kind, owner, again]] of held) may(kind)[owner] && held.delete(key) && again();
  };

  const table = (lists, separator) =>
    new Map(lists.flatMap(([owner, list, end = '']) => list.split(separator).map(name => [name + end, owner])));
  const decoded = (text, as) => text.replace(/%([\da-f]{2})/gi, (escape, hex) => as(String.fromCharCode('0x' + hex), escape));

  // Names are bytes, of patterns too. The most specific pattern counts: exact, the longest prefix, the first regex.
  const bytes = text => /[^\0-\x7f]/.test(text) ? unescape(encodeURIComponent(text)) : text;
  const names = ([lists, regexes]) => {
    const known = table(lists, '\n'), matches = regexes.map(([owner, text]) => [owner, RegExp(text, 's')]);
    const ranked = name => {
      if (known.has(name)) return [0, known.get(name)];
      for (let length = Math.min(name.length, 256); length; length--) {
        const owner = known.get(name.slice(0, length) + '*');
        if (owner !== undefined) return [999 - length, owner];
      }
      const rank = matches.findIndex(([, regex]) => regex.test(name));
      return rank < 0 ? [1 / 0] : [1000 + rank, matches[rank][0]];
    };
    return name => {
      const raw = ranked(name), other = ranked(decoded(name, char => char));
      return other[0] < raw[0] ? other[1] : raw[1];
    };
  };

  // The rules of a host (`=host`), of it and all below it (`host`), and of any host (empty).
  const tags = ([lists, globs]) => {
    const hosts = table(lists, ' '), paths = new Map;
    for (const [owner, text] of globs) {
      const [, host, path] = /^([^/]*)(.*)/.exec(text);
      const glob = path.replace(/[.*+?^${}()|[\]\\]/g, sign => sign === '*' ? '[^]*' : '\\' + sign);
      paths.set(host, [...paths.get(host) ?? [], [owner, path, RegExp(`^${glob}$`)]]);
    }
    return (host, path) => {
      const find = key => paths.get(key)?.find(([, text, glob]) => glob.test(text.includes('?') ? path : path.split('?')[0]));
      let found;
      for (let name = host, keys = ['=' + host, host]; name; keys = [name]) {
        for (const key of keys) {
          const rule = find(key);
          if (rule) return rule;
          if (hosts.has(key)) found ??= [hosts.get(key), '/'];
        }
        name = /^\[|\.\d+$/.test(host) || !name.includes('.') ? '' : name.replace(/.*?\./, '');
      }
      return found ?? find('');
    };
  };

  let indices;
  const index = () => indices ??= { cookies: policy.cookies.map(names), keys: policy.storage.map(names), tags: policy.tags.map(tags) };
  const ownerOf = name => {
    const bare = name.replace(/^__(?:host-http-|host-|secure-|http-)/i, '');
    const [kept, site, sessions, known, stacks] = index().cookies, find = list => list(name) ?? (bare && list(bare) || undefined);
    const own = kept(name) ?? find(site) ?? find(sessions), service = own ?? find(known);
    if (own !== undefined || service > 3) return service;
    // What nobody can grant may still be a session by its name, unless it is known to track.
    return (service < 2 ? service : find(stacks)) ?? service ?? policy.unknown;
  };

  // Tells the proxy, once of each thing: names alone, and of addresses the host and the rule.
  const told = new Set, news = [];
  const tell = () => news.length && send && apply(send, navigator, [at('guard'), new URLSearchParams(news.splice(0))]);
  const stops = (kind, owner, name, again, key) => {
    if (owner === undefined || may(kind)[owner]) return held.delete(key) && false;
    if (report !== undefined && told.size < 64 && !told.has(kind + name)) {
      told.add(kind + name);
      if (news.push([kind, name.slice(0, 500)]) === 1) later(tell, 1000);
    }
    if (observe !== undefined) return false;
    if (again && owner > 3 && held.size < 256) held.set(key, [kind, owner, again]);
    return true;
  };

  const stopsUrl = (url, again, key) => {
    let to;
    try { to = new URL(url, document.baseURI); } catch { return false; }
    if (!/^(?:http|ws)s?:$/.test(to.protocol)) return false;
    const [href] = to.href.split('#');
    const path = decoded(href.slice(href.indexOf('/', to.protocol.length + 2)).replace(/%(?![\da-f]{2})/gi, '%25'), (char, escape) => /[\w.~-]/.test(char) ? char : escape);
    const host = to.hostname.replace(/\.$/, ''), [site, known] = index().tags, rule = site(host, path) ?? known(host, path);
    return !!rule && stops('tag', rule[0], host + rule[1], again, key);
  };
  const stopsKey = (key, again) => {
    const name = bytes(key), [site, known] = index().keys;
    return stops('storage', site(name) ?? known(name), key, again, 'storage ' + key);
  };
  // Deletion is what a refusing visitor wants, and always passes.
  const stopsCookie = (name, ends, again) => {
    const owner = name && !(ends <= Date.now()) ? ownerOf(bytes(name)) : undefined;
    return stops('cookie', owner, name, again, 'cookie ' + name);
  };

  // `instead` says in an array what comes in the place of a call; else the call goes on. No mistake of ours is the page's.
  const wrap = (object, name, instead) => {
    const property = object && Object.getOwnPropertyDescriptor(object, name), part = property?.set ? 'set' : 'value';
    const native = property?.[part];
    if (!native) return;
    const call = (self, args, again) => {
      let other;
      try { other = instead(self, args, again); } catch {}
      return other ? other[0] : again();
    };
    property[part] = new Proxy(native, {
      apply: (_, self, args) => call(self, args, () => apply(native, self, args)),
      construct: (_, args, target) => call(target, args, () => construct(native, args, target)),
    });
    Object.defineProperty(object, name, property);
  };

  wrap(Document.prototype, 'cookie', (_, [text], again) => {
    const [pair, ...attributes] = String(text).split(';');
    let age, expires;
    for (const attribute of attributes) {
      const [, name, value] = /^\s*([^=]*?)\s*=\s*(.*?)\s*$/.exec(attribute.toLowerCase()) ?? [];
      if (name === 'max-age' && /^-?\d+$/.test(value)) age = value > 0 ? 1 / 0 : 0;
      if (name === 'expires') expires = Date.parse(value) || expires;
    }
    return stopsCookie(/^[ \t=]*([^=]*?)[ \t]*(?:=|$)/.exec(pair)[1], age ?? expires, again) && [];
  });
  wrap(window.CookieStore?.prototype, 'set', (_, [first], again) => {
    const { name, expires } = Object(first) === first ? first : { name: String(first) };
    return stopsCookie(name || '', expires ?? undefined, again) && [Promise.resolve()];
  });
  wrap(Storage.prototype, 'setItem', (_, [key], again) => stopsKey(String(key), again) && []);
  wrap(window, 'fetch', (_, [to]) => stopsUrl(to.url ?? to) && [Promise.reject(new TypeError('Failed to fetch'))]);
  wrap(Navigator.prototype, 'sendBeacon', (_, [to]) => stopsUrl(to) && [true]);

  const failing = new WeakMap;
  wrap(XMLHttpRequest.prototype, 'open', (self, args) => {
    delete self.readyState;
    failing.delete(self);
    if (stopsUrl(args[1])) {
      failing.set(self, args[2] ?? true);
      args[1] = location.href;
    }
  });
  wrap(XMLHttpRequest.prototype, 'send', self => {
    if (!failing.has(self)) return;
    const fail = () => {
      Object.defineProperty(self, 'readyState', { value: 4, configurable: true });
      for (const type of ['readystatechange', 'error', 'loadend']) self.dispatchEvent(new ProgressEvent(type));
    };
    failing.get(self) ? later(fail) : fail();
    return [];
  });
  for (const name of ['WebSocket', 'EventSource']) {
    wrap(window, name, (_, [url]) => {
      if (!stopsUrl(url)) return;
      const target = Object.assign(new EventTarget, { url: String(url), readyState: 0, send() {}, close() {} });
      later(() => {
        target.readyState = window[name].CLOSED;
        for (const type of ['error', 'close']) {
          const event = new CloseEvent(type, { code: 1006 });
          target.dispatchEvent(event);
          target['on' + type]?.(event);
        }
      });
      return [target];
    });
  }

  // What loads, by attribute and element; a link if it is for more than people.
  const loaders = { src: /^(?:script|img|iframe|video|audio|source|embed|track|input)$/, srcset: /^(?:img|source)$/, href: /^link$/, data: /^object$/ };
  const stopsLoad = (element, name, value, use, again, key) =>
    loaders[name]?.test(element) && (name !== 'href' || !use || /sheet|load|fetch|connect|icon|manifest/i.test(use))
      && (name === 'srcset' ? String(value).split(/[\s,]+(?=\S)/).filter(text => /[^\d.wxh]/.test(text)) : [value])
        .some(url => stopsUrl(url, again, key));
  const onSet = (self, name, value, again) => {
    held.delete(self);
    if (!stopsLoad(self.localName, name, value, self.rel, again, self)) return;
    if (/^(?:script|img)$/.test(self.localName)) later(() => self.dispatchEvent(new Event('error')));
    return [];
  };
  wrap(Element.prototype, 'setAttribute', (self, [name, value], again) => onSet(self, String(name).toLowerCase(), value, again));
  for (const kind of ['Script', 'Image', 'IFrame', 'Media', 'Source', 'Embed', 'Track', 'Input', 'Link', 'Object']) {
    for (const name in loaders) {
      wrap(window[`HTML${kind}Element`].prototype, name, (self, [value], again) => onSet(self, name, value, again));
    }
  }

  // HTML is given as text, often of a part of an element: what is stopped loses its attribute.
  const tag = /<(script|img|iframe|video|audio|source|embed|track|input|link|object)\b(?:"[^"]*"|'[^']*'|[^'">])*>/gi;
  const attribute = /([\s"'/])(src|srcset|href|data)\s*=\s*("[^"]*"|'[^']*'|[^\s>]+)/gi;
  const reference = /&(?:amp|#(\d+)|#x([\da-f]+));?/gi;
  const clean = html => {
    const text = String(html), left = text.replace(tag, (whole, element) => whole.replace(attribute, (part, before, name, value) =>
      stopsLoad(element.toLowerCase(), name.toLowerCase(), value.replace(/^["']|["']$/g, '')
        .replace(reference, (_, number, hex) => String.fromCodePoint(number ?? (hex ? '0x' + hex : 38))), whole) ? before : part));
    // What somebody vouches for (Trusted Types) is theirs.
    return left === text || typeof html === 'object' ? html : left;
  };
  const last = (_, args) => { args.push(clean(args.pop())); };
  for (const name of ['innerHTML', 'outerHTML', 'insertAdjacentHTML']) wrap(Element.prototype, name, last);
  wrap(window.ShadowRoot?.prototype, 'innerHTML', last);
  wrap(Range.prototype, 'createContextualFragment', last);
  for (const name of ['write', 'writeln']) {
    wrap(Document.prototype, name, (_, args) => { args.splice(0, args.length, clean(args.length > 1 ? args.join('') : args[0])); });
  }

  // Keys that are set as properties pass unseen: what is new of them goes with the visitor. A browser may keep its
  // storage closed.
  for (const area of ['localStorage', 'sessionStorage']) {
    try {
      const keys = new Set(Object.keys(window[area]));
      addEventListener('pagehide', () => {
        for (const key of Object.keys(window[area])) if (!keys.has(key) && stopsKey(key)) window[area].removeItem(key);
      });
    } catch {}
  }
  const renew = () => apply(ask, window, [at('choice'), { credentials: 'same-origin', cache: 'no-store' }])
    .then(answer => answer.json()).then(({ grant }) => settle(grant)).catch(() => {});
  settle(granted ?? policy.required);
  if (report !== undefined) {
    if (granted === undefined) renew();
    addEventListener('pagehide', tell);
    addEventListener('consentry:change', renew, true);
  }
})
