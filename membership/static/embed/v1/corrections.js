// Readers report mistakes: marked words and two keys, a button beside them on touch, or the link.

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
