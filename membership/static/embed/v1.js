// What a newsroom's own pages show of its readers' support: an appeal, the goal, the open vote, the stories that members
// chose, the badge of such a story, and the desk of corrections. No library, no cookie, nobody followed.
//
// It asks one public file (config.json beside it), waits two seconds at most, and draws nothing where anything is not
// as it should be: an article must never be hurt by us. Everything is made by the DOM, nothing from text that would be
// read as HTML, and styled by sheets made here, so that a strict policy of the page needs to allow our origin only.

const HERE = new URL(import.meta.url);
const PATIENCE_MS = 2000;
const LARGEST_ANSWER = 256 * 1024;
const LONGEST_QUOTE = 1000;
const LONGEST_CONTEXT = 300;

const CSS = `
:host { display: block; --line: #8886; }
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
.box { border-block: 1px solid var(--line); font: inherit; line-height: 1.5; padding-block: 1rem; }
.box > * + * { margin-top: .6rem; }
p, h2, ul { margin: 0; }
h2 { font: inherit; font-size: 1.15em; font-weight: 700; line-height: 1.25; }
.small { font-size: .9em; }
ul { display: grid; gap: .3rem; list-style: none; padding: 0; }
a { color: inherit; display: inline-block; min-height: 1.5rem; overflow-wrap: anywhere; text-underline-offset: .2em; }
a:focus-visible, button:focus-visible, textarea:focus-visible, input:focus-visible {
  outline: 3px solid currentColor; outline-offset: 2px; }
progress { accent-color: var(--accent); appearance: none; background: var(--line); border: 0; border-radius: 1rem;
  display: block; height: .6rem; overflow: hidden; width: 100%; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--accent); }
progress::-moz-progress-bar { background: var(--accent); }
.do, .go { background: var(--accent); border: 0; border-radius: .4rem; color: var(--accent-ink); cursor: pointer;
  font: inherit; font-weight: 600; min-height: 2.75rem; padding: .6rem 1rem; text-decoration: none; }
.plain { background: none; border: 1px solid currentColor; border-radius: .4rem; color: inherit; cursor: pointer;
  font: inherit; min-height: 2.75rem; padding: .6rem 1rem; }
.go { box-shadow: 0 2px 8px #0005; position: fixed; z-index: 2147483000; }
dialog { background: Canvas; border: 1px solid GrayText; border-radius: .6rem; color: CanvasText; font: inherit;
  line-height: 1.5; max-width: min(34rem, calc(100vw - 1.5rem)); padding: 1.25rem; width: 100%; }
dialog::backdrop { background: #0008; }
form { display: grid; gap: .9rem; }
blockquote { border-inline-start: 4px solid var(--accent); margin: 0; max-height: 9rem; overflow: auto;
  overflow-wrap: anywhere; padding-inline-start: .8rem; }
label { display: grid; font-weight: 600; gap: .3rem; }
textarea, input { background: Field; border: 1px solid GrayText; border-radius: .4rem; color: FieldText; font: inherit;
  font-weight: 400; min-height: 2.75rem; padding: .5rem; width: 100%; }
textarea { min-height: 6rem; resize: vertical; }
.buttons { align-items: center; display: flex; flex-wrap: wrap; gap: .6rem; }
.appeal { border-block: 3px solid var(--accent); }
.appeal > .buttons { margin-top: 1rem; }
.appeal h2 { font-size: 1.35em; text-wrap: balance; }
.quiet { background: none; border: 0; color: inherit; cursor: pointer; font: inherit; font-size: .9em;
  min-height: 2.75rem; padding: .3rem .4rem; text-decoration: underline; text-underline-offset: .2em; }
[role="status"] { min-height: 1.5em; }
`;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter(Boolean));
  return element;
}

// Addresses of the answer are used only where they are pages: never a script, never a file of the reader's.
function page(address) {
  const url = new URL(address, HERE);
  if (!/^https?:$/u.test(url.protocol)) throw new TypeError(`no page: ${url.protocol}`);
  return url.href;
}

async function text(answer) {
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let words = "";
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return words + decoder.decode();
    size += value.length;
    if (size > LARGEST_ANSWER) {
      await reader.cancel();
      throw new RangeError("too long");
    }
    words += decoder.decode(value, { stream: true });
  }
}

async function ask(place, options = {}) {
  const answer = await fetch(new URL(place, HERE), {
    credentials: "omit",
    signal: AbortSignal.timeout(PATIENCE_MS),
    ...options,
  });
  return [answer.ok, JSON.parse(await text(answer))];
}

// Asked once per page, however many elements stand on it; null where it cannot be had.
let asked;
function config() {
  asked ??= ask("config.json").then(
    ([isGood, found]) => (isGood && found?.version === 1 ? found : null),
    () => null,
  );
  return asked;
}

// Where an element may grow without moving what somebody reads: its space is kept free by the page, or it is below the
// window. Resolves as soon as one of both is so.
function unseen(element, height) {
  return new Promise((resolve) => {
    if (element.offsetHeight >= height) {
      resolve();
      return;
    }
    const watch = new IntersectionObserver((entries) => {
      const { isIntersecting, boundingClientRect: box } = entries.at(-1);
      if (!isIntersecting && box.top >= innerHeight) {
        watch.disconnect();
        resolve();
      }
    });
    watch.observe(element);
  });
}

class Part extends HTMLElement {
  async connectedCallback() {
    if (this.shadowRoot) return;
    try {
      const all = await config();
      const about = all?.parts?.[this.constructor.part];
      if (!about || !this.isConnected) return;
      const asked = this.closest("[lang]")?.lang.slice(0, 2).toLowerCase();
      const language = all.languages.includes(asked) ? asked : all.languages[0];
      const content = this.draw(about, about[language], language);
      if (!content) return;
      await this.show(content, language, all.colours);
      this.begin?.();
    } catch {
      // Nothing is shown, and the article stays as it was.
    }
  }

  async show(content, language, colours) {
    await unseen(this, this.constructor.height);
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS + coloursOf(colours));
    const shadow = this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = [sheet];
    content.lang = language;
    shadow.append(content);
  }
}

// Light or dark as the page is (its `color-scheme`), not as the reader's system: many pages have no dark side. Where the
// answer names no colours that are colours, ours.
const COLOUR = /^#[0-9a-f]{6}$/iu;
const OURS = { light: { accent: "#8a3323", ink: "#fffaf3" }, dark: { accent: "#e39b82", ink: "#241008" } };
function coloursOf(colours) {
  const [light, dark] = ["light", "dark"].map((scheme) => {
    const { accent, ink } = colours?.[scheme] ?? {};
    return COLOUR.test(accent) && COLOUR.test(ink) ? { accent, ink } : OURS[scheme];
  });
  return `:host { --accent: ${light.accent}; --accent-ink: ${light.ink}; }
    @supports (color: light-dark(red, red)) { :host {
      --accent: light-dark(${light.accent}, ${dark.accent}); --accent-ink: light-dark(${light.ink}, ${dark.ink}); } }`;
}

function link(href, words, attributes = {}) {
  return make("a", { href: page(href), ...attributes }, words);
}

class Goal extends Part {
  static part = "goal";
  static height = 140;

  draw({ href, now, wanted }, words) {
    const bar = make("progress", { max: wanted, value: Math.min(now, wanted), "aria-label": words.goal });
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("p", {}, words.goal),
      bar,
      make("p", {}, link(`${href}?article=${encodeURIComponent(here())}`, words.link, { class: "do" })),
    );
  }
}

class Vote extends Part {
  static part = "poll";
  static height = 160;

  draw({ href, title, lang }, words) {
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("p", { class: "small" }, words.label),
      make("h2", { lang }, title),
      make("p", {}, words.until),
      make("p", {}, link(href, words.link)),
    );
  }
}

class Stories extends Part {
  static part = "stories";
  static height = 160;

  draw({ href, list }, words) {
    const rows = list.map(({ url, title, lang }) => make("li", {}, link(url, title, { lang })));
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("h2", {}, words.label),
      make("ul", {}, ...rows),
      make("p", { class: "small" }, link(href, words.link)),
    );
  }
}

// The address of an article without what a newsletter or a network hangs on it.
function plain(address) {
  const url = new URL(address, location.href);
  return url.origin + url.pathname.replace(/\/+$/u, "");
}

function here() {
  const canonical = document.querySelector("link[rel='canonical']")?.href;
  return plain(canonical && new URL(canonical, location.href).origin === location.origin ? canonical : location.href);
}

class Badge extends Part {
  static part = "badge";
  static height = 24;

  draw({ stories }, words) {
    const topic = stories.find(([story]) => plain(story) === here());
    return topic && make("p", { class: "small" }, link(topic[1], words.label));
  }
}

const SKIPPED = "input, textarea, select, [contenteditable]";

// What a reader has marked, with what stands around it: so it is found again after small edits.
function marked(inside) {
  const selection = getSelection();
  if (!selection?.rangeCount || selection.isCollapsed) return null;
  const range = selection.getRangeAt(0);
  const nearest = range.commonAncestorContainer;
  const element = nearest.nodeType === Node.ELEMENT_NODE ? nearest : nearest.parentElement;
  if (!element?.closest(inside) || element.closest(SKIPPED)) return null;
  const quote = selection.toString().trim().slice(0, LONGEST_QUOTE);
  const whole = element.closest(inside);
  const before = document.createRange();
  before.setStart(whole, 0);
  before.setEnd(range.startContainer, range.startOffset);
  const after = document.createRange();
  after.setStart(range.endContainer, range.endOffset);
  after.setEnd(whole, whole.childNodes.length);
  return quote
    ? {
        quote,
        prefix: before.toString().slice(-LONGEST_CONTEXT),
        suffix: after.toString().slice(0, LONGEST_CONTEXT),
        box: range.getBoundingClientRect(),
      }
    : null;
}

class Corrections extends Part {
  static part = "corrections";
  static height = 24;

  draw({ href, post }, words) {
    Object.assign(this, { words, post });
    this.inside = this.dataset.inside || "article, main";
    const open = link(`${href}?article=${encodeURIComponent(here())}`, words.link);
    open.addEventListener("click", (event) => {
      event.preventDefault();
      this.ask(marked(this.inside), open);
    });
    const keys = matchMedia("(pointer: fine)").matches && make("span", {}, ` ${words.keys}`);
    return make("p", { class: "small" }, open, keys);
  }

  // Only what is shown listens: before that there is nothing to open a dialog in.
  begin() {
    addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
      const found = this.isConnected && marked(this.inside);
      if (found) {
        event.preventDefault();
        this.ask(found, null);
      }
    });
    if (matchMedia("(pointer: coarse)").matches) this.followSelection();
  }

  // On touch there is no such key: a button stands below what was marked, for as long as it is.
  followSelection() {
    const button = make("button", { class: "go", type: "button", hidden: "" }, this.words.link);
    button.addEventListener("pointerdown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      button.hidden = true;
      this.ask(marked(this.inside), null);
    });
    document.addEventListener("selectionchange", () => {
      const found = marked(this.inside);
      button.hidden = !found;
      if (!found) return;
      if (!button.isConnected) this.shadowRoot.append(button);
      button.style.top = `${Math.min(innerHeight - 60, Math.max(8, found.box.bottom + 12))}px`;
      button.style.left = `${Math.min(innerWidth - button.offsetWidth - 8, Math.max(8, found.box.left))}px`;
    });
  }

  ask(found, opener) {
    if (this.shadowRoot.querySelector("dialog")) return; // what is typed there stays
    const { words } = this;
    const note = make("textarea", { name: "note", maxlength: 2000, rows: 4, ...(found ? {} : { required: "" }) });
    const email = make("input", { name: "email", type: "email", autocomplete: "email", maxlength: 254 });
    const send = make("button", { class: "do" }, words.send);
    const close = make("button", { class: "plain", type: "button" }, words.close);
    const said = make("p", { role: "status" });
    const form = make(
      "form",
      { method: "dialog" },
      make("h2", { id: "title" }, words.title),
      found && make("blockquote", { tabindex: 0, "aria-label": words.quote }, found.quote),
      make("label", {}, found ? words.note : words.what, note),
      make("label", {}, words.email, email),
      make("p", { class: "small" }, words.privacy),
      said,
      make("div", { class: "buttons" }, send, close),
    );
    const { lang } = this.shadowRoot.firstElementChild;
    const dialog = make("dialog", { "aria-labelledby": "title", lang }, form);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      opener?.focus();
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      send.disabled = true;
      said.textContent = await this.send({
        article: here(),
        quote: found?.quote ?? "",
        prefix: found?.prefix ?? "",
        suffix: found?.suffix ?? "",
        note: note.value.trim(),
        email: email.value.trim(),
        locale: dialog.lang,
      });
      const isDone = said.textContent === words.thanks;
      send.disabled = isDone;
      if (isDone) {
        for (const field of [note, email]) field.disabled = true;
        close.focus();
      }
    });
    this.shadowRoot.append(dialog);
    dialog.showModal();
    note.focus();
  }

  // The sentence for the reader: thanks, what to mend, or that it did not arrive. Nothing typed is lost.
  async send(report) {
    try {
      const [isGood, answer] = await ask(this.post, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(report),
        signal: AbortSignal.timeout(4 * PATIENCE_MS),
      });
      return isGood ? this.words.thanks : String(answer?.error?.message ?? answer?.message ?? this.words.failed);
    } catch {
      return this.words.failed;
    }
  }
}

// What this browser remembers of appeals: nobody else sees it. Without such a place how often somebody was asked could
// not be known, so that nothing is asked there.
const MEMORY = "reader-appeal";
const SEEDS = 1e6;
function recall() {
  const kept = JSON.parse(localStorage.getItem(MEMORY) ?? "{}");
  const { seed = Math.floor(Math.random() * SEEDS), seen = [], quiet = 0, patron = 0 } = kept;
  if (!Array.isArray(seen) || ![seed, quiet, patron].every(Number.isFinite)) throw new TypeError("not ours");
  return { seed, seen, quiet, patron };
}

// The reader asked us to say so, in their account: a cookie of the site's own domain, with nothing of them in it.
export function isPatron() {
  return document.cookie.split("; ").includes("reader_patron=1");
}

function keep(memory) {
  localStorage.setItem(MEMORY, JSON.stringify(memory));
}

function seconds() {
  return Math.floor(Date.now() / 1000);
}

function meta(property) {
  return [...document.querySelectorAll(`meta[property="${property}"]`)].map(({ content }) => content);
}

function listed(words) {
  return words.flatMap((each) => each.split(",")).map((each) => each.trim().toLowerCase()).filter(Boolean);
}

// What is told of an appeal: that it was seen, or would have been, and what was pressed. In batches, when the page is
// left or something was pressed; a batch has a name of its own, so that it is counted once, and nothing of a reader.
const MOST_TOLD = 20;
const untold = [];
function tell(place, ...events) {
  untold.push(...events);
  if (!untold.length) return;
  const drawn = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
  const batch = drawn.replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
  navigator.sendBeacon?.(
    new URL(place, HERE),
    JSON.stringify({ batch, article: here(), events: untold.splice(0, MOST_TOLD) }),
  );
}

const REST_DAYS = 90;
const FORCED = /^#reader-appeal(?:=([\w-]+):([a-d]))?$/u;

class Appeal extends Part {
  static part = "appeal";
  static height = 200;
  static isTaken = false;

  draw({ href, events, sample, list }, words, language) {
    if (Appeal.isTaken) return null; // a page asks once
    Appeal.isTaken = true;
    const place = this.place(language);
    const known = recall();
    const memory = isPatron() ? { ...known, patron: Infinity } : known;
    const { appeal, variant, why } = decide(list, place, memory, seconds());
    const forced = FORCED.exec(location.hash);
    if (forced) {
      // For staff, by the address of the page: which appeal it is here and now, and why none before it; or the one that
      // is named, come what may. It is not counted and nothing is remembered.
      console.info("reader-appeal", { appeal: appeal?.id, variant, why, place, memory });
      const named = list.find(({ id }) => id === forced[1]) ?? appeal;
      return named && this.ask(href, named, forced[2] ?? named.variants[0].id, words, language, () => {});
    }
    if (!appeal) return null;
    keep(known); // whoever cannot be remembered is not asked
    this.begin = () => this.count(appeal, variant, events, sample, href);
    if (variant !== HELD_OUT) {
      return this.ask(href, appeal, variant, words, language, (event, more) => {
        keep({ ...recall(), ...more });
        tell(events, [event, appeal.id, variant, 1]);
      });
    }
    this.begin();
    return null;
  }

  ask(href, appeal, variant, words, language, pressed) {
    const { title, body, button } = appeal.variants.find(({ id }) => id === variant)[language];
    const go = link(carrying(href, { article: here(), appeal: appeal.id, variant }), button, { class: "do" });
    const press = (button, act) => button.addEventListener("click", () => attempt(act));
    press(go, () => pressed("click", {}));
    const leave = (word, event, what, days) => {
      const button = make("button", { class: "quiet", type: "button" }, word);
      button.addEventListener("click", () => {
        this.hidden = true;
      });
      press(button, () => pressed(event, { [what]: seconds() + days * DAY }));
      return button;
    };
    return make(
      "section",
      { class: "box appeal", "aria-label": words.label },
      make("h2", {}, title),
      ...body.split("\n").filter(Boolean).map((paragraph) => make("p", {}, paragraph)),
      make(
        "div",
        { class: "buttons" },
        go,
        leave(words.already, "already", "patron", REST_DAYS),
        leave(words.close, "close", "quiet", appeal.days),
      ),
    );
  }

  count(appeal, variant, events, sample, href) {
    const isTold = Math.random() < sample;
    const watch = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
      watch.disconnect();
      attempt(() => {
        keep(remembering(recall(), appeal, seconds()));
        const weight = Math.round(1 / sample);
        if (isTold) untold.push([variant === HELD_OUT ? "withheld" : "view", appeal.id, variant, weight]);
      });
    });
    watch.observe(this);
    addEventListener("pagehide", () => attempt(() => tell(events)));
    document.addEventListener("visibilitychange", () => document.hidden && attempt(() => tell(events)));
    carry(href, { article: here(), appeal: appeal.id, variant });
  }

  // What the page says of itself: by attributes of the element, or as it tells networks.
  place(language) {
    const { section, tags, sensitive } = this.dataset;
    return {
      language,
      section: listed([section ?? meta("article:section")[0] ?? ""])[0] ?? "",
      tags: listed(tags === undefined ? meta("article:tag") : [tags]),
      isSensitive: sensitive !== undefined && sensitive !== "false",
      regions: navigator.languages.flatMap((each) => new Intl.Locale(each).region ?? []),
    };
  }
}

function carrying(address, known) {
  const url = new URL(address, location.href);
  for (const [name, value] of Object.entries(known)) url.searchParams.set(name, value);
  return url;
}

// Every other way from this page to the payment page says as well which appeal its reader saw, or was held out of: so
// it can be told what the appeal does.
function carry(href, known) {
  const join = new URL(href);
  const mark = (event) => {
    const pressed = event.composedPath().find((each) => each instanceof HTMLAnchorElement && each.href);
    if (!pressed) return;
    const to = new URL(pressed.href);
    if (to.origin !== join.origin || to.pathname !== join.pathname || to.searchParams.has("appeal")) return;
    pressed.href = carrying(to, known).href;
  };
  for (const name of ["click", "auxclick"]) addEventListener(name, (event) => attempt(() => mark(event)), true);
}

// What goes wrong in a handler of ours is no error of the page.
function attempt(act) {
  try {
    act();
  } catch {
    // It is left undone.
  }
}

for (const [name, part] of Object.entries({
  "reader-appeal": Appeal,
  "reader-goal": Goal,
  "reader-poll": Vote,
  "reader-stories": Stories,
  "reader-badge": Badge,
  "reader-corrections": Corrections,
})) {
  if (!customElements.get(name)) customElements.define(name, part);
}
