// The contribute page: the button names the reader's own amount too. The cards and rhythms need no script.

const form = document.querySelector("form.give");
const words = form?.querySelector("[data-own]");

/** The amount that was typed, or null where it is not one that could be meant. */
function read(text) {
  const compact = text.replace(/\s/gu, "").replace(",", ".");
  return /^\d{1,9}(\.\d{1,2})?$/u.test(compact) && Number(compact) > 0 ? Number(compact) : null;
}

function inWords(amount) {
  return new Intl.NumberFormat(form.dataset.locale, {
    style: "currency",
    currency: form.dataset.currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
  }).format(amount);
}

if (words) {
  const plain = words.textContent;
  const templates = {
    monthly: form.dataset.giveMonthly,
    yearly: form.dataset.giveYearly,
    once: form.dataset.giveOnce,
  };
  const own = form.querySelector("input[name='cups'][value='own']");
  const field = form.elements.namedItem("amount");

  const update = () => {
    const amount = own.checked ? read(field.value) : null;
    const template = templates[form.elements.namedItem("rhythm").value];
    words.textContent = amount && template ? template.replace("{amount}", inWords(amount)) : plain;
  };
  form.addEventListener("input", update);
  form.addEventListener("change", update);
  // Choosing "another amount" with a pointer leads straight to the place to type it.
  own.addEventListener("click", (event) => {
    if (event.detail > 0 || event.pointerType) field.focus();
  });
  window.addEventListener("pageshow", update);
  update();
}
