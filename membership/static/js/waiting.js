// Looks again whether the payment is confirmed, and shows the new page once it says something else.

const here = document.querySelector("[data-state]");
const pause = Math.max(2, Number(here?.dataset.refresh) || 5) * 1000;
const LONGEST_PAUSE = 60_000;

async function look(wait) {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
    if (answer.ok) {
      // Read as text: parsing it would ask for a Trusted Types policy, for one word.
      const page = await answer.text();
      if (!page.includes(`data-state="${here.dataset.state}"`)) {
        location.reload();
        return;
      }
    }
  } catch {
    // The network is away for a moment; the next look will tell.
  }
  setTimeout(look, wait, Math.min(wait * 1.5, LONGEST_PAUSE));
}

if (here) setTimeout(look, pause, pause);
