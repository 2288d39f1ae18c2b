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

// The address of an article without what a newsletter or a network hangs on it.
function plain(address) {
  const url = new URL(address, location.href);
  return url.origin + url.pathname.replace(/\/+$/u, "");
}

function here() {
  const canonical = document.querySelector("link[rel='canonical']")?.href;
  return plain(canonical && new URL(canonical, location.href).origin === location.origin ? canonical : location.href);
}

// What goes wrong in a handler of ours is no error of the page.
function attempt(act) {
  try {
    act();
  } catch {
    // It is left undone.
  }
}
