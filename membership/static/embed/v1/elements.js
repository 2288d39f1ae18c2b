// The names by which pages call them. A page that has the script twice keeps the first.

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
