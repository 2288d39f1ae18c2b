// An appeal: drawn, remembered, and told of without telling of anybody.

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
      return named && this.ask(href, named, forced[2] ?? named.variants[0].id, words, language, () => {}, {});
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

  // What staff look at is not counted, so what somebody gives from there does not belong to it either: `known` is {}.
  ask(href, appeal, variant, words, language, pressed, known = { appeal: appeal.id, variant }) {
    const { title, body, button } = appeal.variants.find(({ id }) => id === variant)[language];
    const go = link(carrying(href, { article: here(), ...known }), button, { class: "do" });
    const press = (button, act) => button.addEventListener("click", () => attempt(act));
    press(go, () => pressed("click", {}));
    const leave = (word, event, what, days) => {
      const button = make("button", { class: "quiet", type: "button" }, word);
      button.addEventListener("click", () => {
        if (event === "already") {
          const thanks = make("p", { tabindex: -1 }, words.thanks);
          button.closest("section").replaceChildren(thanks);
          thanks.focus();
        } else {
          this.hidden = true;
        }
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
