// Keys of the desk: "/" to the search, "?" for the list, "g" and a letter to a desk. The letters are those of the menu
// (data-key). They can be switched off (WCAG 2.1.4), for who speaks to the browser instead of typing.

const STORE = "desk-keys";
const PATIENCE = 1500;
let waitsForDesk = 0;

function areOn() {
  try {
    return localStorage.getItem(STORE) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

/** The Latin letter on that place of the keyboard, whatever alphabet it is set to. */
function letterOf(event) {
  if (/^[a-z]$/i.test(event.key)) return event.key.toLowerCase();
  return /^Key[A-Z]$/.test(event.code) ? event.code.slice(3).toLowerCase() : "";
}

function isShown(element) {
  return element.checkVisibility?.() ?? element.offsetParent !== null;
}

/** The page's own search before that of the desk; on a phone the latter lies in the menu. */
function search() {
  const fields = [...document.querySelectorAll("main [data-search], .masthead [data-search]")];
  let field = fields.find(isShown);
  if (!field && fields.length) {
    field = fields.at(-1);
    field.closest("details")?.setAttribute("open", "");
  }
  field?.focus();
  field?.select();
  return Boolean(field);
}

function list() {
  const dialog = document.getElementById("keys-dialog");
  if (!dialog || dialog.open) return false;
  dialog.showModal();
  return true;
}

function goTo(letter) {
  const link = document.querySelector(`.desk-nav a[data-key="${CSS.escape(letter)}"]`);
  link?.click();
  return Boolean(link);
}

function press(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (!areOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const isSecond = performance.now() < waitsForDesk;
  waitsForDesk = 0;
  let isDone = false;
  if (event.key === "?") isDone = list();
  else if (event.key === "/") isDone = search();
  else if (isSecond) isDone = goTo(letterOf(event));
  else if (letterOf(event) === "g" && !event.shiftKey) waitsForDesk = performance.now() + PATIENCE;
  if (isDone) event.preventDefault();
}

function showChoice(box) {
  const [words, button] = box.children;
  words.textContent = areOn() ? box.dataset.on : box.dataset.off;
  button.textContent = areOn() ? box.dataset.switchOff : box.dataset.switchOn;
  box.hidden = false;
}

document.addEventListener("keydown", press);

for (const link of document.querySelectorAll("[data-keys-open]")) {
  link.addEventListener("click", (event) => {
    if (list()) event.preventDefault();
  });
}

for (const box of document.querySelectorAll("[data-keys-choice]")) {
  showChoice(box);
  box.querySelector("button").addEventListener("click", () => {
    try {
      localStorage.setItem(STORE, areOn() ? "off" : "on");
    } catch {
      return; // nothing can be kept, so nothing changes
    }
    showChoice(box);
  });
}
