// The ballot without reloads: a ranking is moved in place, and what changed is read out. Without this script every
// button of a ranking is sent to the server, which answers the same page with the new order.

const form = document.querySelector("#ballot");

function say(words) {
  const status = form.querySelector("[data-says]");
  // The same words twice in a row are read twice only if they change in between.
  status.textContent = "";
  requestAnimationFrame(() => {
    status.textContent = words;
  });
}

function fill(template, values) {
  return template.replace(/\{(\w+)\}/gu, (whole, name) => values[name] ?? whole);
}

if (form?.matches("[data-ticks]")) {
  form.addEventListener("change", () => {
    say(fill(form.dataset.count, { number: form.querySelectorAll("[name='choice']:checked").length }));
  });
}

if (form?.matches("[data-ranking]")) {
  const ranked = form.querySelector("[data-ranked]");
  const unranked = form.querySelector("[data-unranked]");
  const most = Number(form.dataset.max);
  // Where each card stood at first, so that one taken out goes back to its place.
  const home = new Map(
    [...form.querySelectorAll(".rank")].map((card) => [card, Number(card.dataset.shown)]),
  );

  const button = (card, kind) => card.querySelector(`.rank__move--${kind}`);

  const show = () => {
    const cards = [...ranked.children];
    const isFull = cards.length >= most;
    cards.forEach((card, index) => {
      card.classList.add("rank--chosen");
      card.querySelector(".rank__place").textContent = index + 1;
      card.querySelector("[data-place-words]").textContent = fill(form.dataset.place, { place: index + 1 });
      for (const kind of ["up", "down", "remove"]) button(card, kind).hidden = false;
      button(card, "up").disabled = index === 0;
      button(card, "down").disabled = index === cards.length - 1;
      button(card, "add").hidden = true;
    });
    for (const card of unranked.children) {
      card.classList.remove("rank--chosen");
      card.querySelector(".rank__place").textContent = "";
      card.querySelector("[data-place-words]").textContent = form.dataset.unplaced;
      for (const kind of ["up", "down", "remove"]) button(card, kind).hidden = true;
      button(card, "add").hidden = false;
      button(card, "add").disabled = isFull;
    }
    form.querySelector("[data-none]").hidden = cards.length > 0;
    form.querySelector("[data-full]").hidden = !isFull;
    form.querySelector("[data-number]").textContent = cards.length;
    form.elements.namedItem("order").value = cards.map((card) => card.dataset.position).join(",");
  };

  const moves = {
    add: (card) => ranked.append(card),
    up: (card) => card.previousElementSibling?.before(card),
    down: (card) => card.nextElementSibling?.after(card),
    remove: (card) => {
      const next = [...unranked.children].find((other) => home.get(other) > home.get(card));
      if (next) next.before(card);
      else unranked.append(card);
    },
  };

  const usable = (card, kinds) =>
    kinds.map((kind) => button(card, kind)).find((each) => !each.hidden && !each.disabled);

  form.addEventListener("click", (event) => {
    const pressed = event.target.closest(".rank__move");
    if (!pressed) return;
    event.preventDefault();
    const card = pressed.closest(".rank");
    const [kind] = pressed.value.split("-");
    moves[kind](card);
    show();
    // The moved card keeps the focus; a finger or mouse does not want the page to jump there as well.
    usable(card, [kind, "up", "down", "remove", "add"])?.focus({ preventScroll: event.detail > 0 });
    const title = card.querySelector(".option__title").textContent;
    const place = [...ranked.children].indexOf(card) + 1;
    const total = ranked.children.length;
    say(fill(place ? form.dataset.placed : form.dataset.removed, { title, place, total }));
  });

  // A page that the browser kept shows the cards as they were left; the field may say something older.
  window.addEventListener("pageshow", show);
}
