// What every page gains from JavaScript; nothing here is needed to use it.

// The summary of mistakes takes the focus, so that it is read out first.
document.querySelector("[data-focus]")?.focus();

// Following a link of the summary puts the focus into the field itself.
for (const link of document.querySelectorAll(".error-summary a[href^='#']")) {
  link.addEventListener("click", (event) => {
    const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!field) return;
    event.preventDefault();
    field.focus({ preventScroll: true });
    (field.closest(".field, fieldset") ?? field).scrollIntoView({ block: "center" });
  });
}

// A form that moves money is sent once, however often its button is pressed. The server holds to this as well.
for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("button[type='submit']");
  let sent = false;
  let words = [];
  form.addEventListener("submit", (event) => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    words = [...button.childNodes];
    button.setAttribute("aria-disabled", "true");
    button.replaceChildren(form.dataset.busy);
  });
  // Coming back from the payment page may show this very page again, as it was left.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted || !sent) return;
    sent = false;
    button.removeAttribute("aria-disabled");
    button.replaceChildren(...words);
  });
}
