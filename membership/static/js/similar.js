// The form of a proposal: while the title is typed, what others have asked already. Without this script the same list
// comes as a step of its own, before anything is sent.

const box = document.getElementById("similar");
const field = document.querySelector("input[name='title']");
const PAUSE = 450;
const SHORTEST = 4;
const known = new Map();
let timer = 0;
let asked = "";

/** The list for a title, asked once for each; null where it cannot be had now, which is no reason to disturb. */
async function find(title) {
  if (known.has(title)) return known.get(title);
  try {
    const answer = await fetch(`${box.dataset.url}?q=${encodeURIComponent(title)}`, {
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) return null;
    const { topics } = await answer.json();
    known.set(title, topics);
    return topics;
  } catch {
    return null;
  }
}

function line(topic) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = topic.url;
  link.lang = topic.lang;
  link.target = "_blank";
  link.rel = "noopener";
  link.textContent = topic.title;
  const note = document.createElement("span");
  note.className = "visually-hidden";
  note.textContent = ` (${box.dataset.newTab})`;
  link.append(note);
  item.append(link);
  return item;
}

function show(topics) {
  box.hidden = topics.length === 0;
  if (box.hidden) {
    box.replaceChildren();
    return;
  }
  const heading = document.createElement("p");
  heading.textContent = box.dataset.heading;
  const list = document.createElement("ul");
  list.append(...topics.map(line));
  box.replaceChildren(heading, list);
}

async function look() {
  const title = field.value.trim();
  asked = title;
  const topics = title.length < SHORTEST ? [] : await find(title);
  if (topics && asked === title) show(topics);
}

if (box && field) {
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  look();
}
