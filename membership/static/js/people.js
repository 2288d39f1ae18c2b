// The list of people: one tick for all on the page, and a tick chooses "those who are ticked". Works without.

const ticks = [...document.querySelectorAll("input[name='who']")];
const all = document.getElementById("tick-all");
const ticked = document.getElementById("scope-ticked");

function follow() {
  const n = ticks.filter((tick) => tick.checked).length;
  if (all) {
    all.checked = n > 0 && n === ticks.length;
    all.indeterminate = n > 0 && n < ticks.length;
  }
}

if (all && ticks.length > 0) {
  all.closest("[data-tick-all]").hidden = false;
  all.addEventListener("change", () => {
    for (const tick of ticks) tick.checked = all.checked;
    if (ticked) ticked.checked = true;
    follow();
  });
  for (const tick of ticks) {
    tick.addEventListener("change", () => {
      if (ticked) ticked.checked = true;
      follow();
    });
  }
  follow(); // The browser may have kept ticks from before.
}
