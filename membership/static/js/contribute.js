// The contribute page: the button names the reader's own amount too. The cards and rhythms need no script.

const form = document.querySelector("form.give");
const words = form?.querySelector("[data-own]");

/** The amount that was typed, or null where it is not one that could be meant. */
function read(text) {
  const compact = text.replace(/\s/gu, "").replace(",", ".");
  return /^\d{1,9}(\.\d{1,2})?$/u.test(compact) && Number(compact) > 0 ? Number(compact) : null;
}

/** The amount with the fee that must be added so that it arrives whole, as `Offer.fee_for` reckons it. */
function withFee(amount) {
  const { minor, feePermille, feeFixed } = form.dataset;
  const gift = Math.round(amount * minor);
  return (gift + Math.ceil((gift * feePermille + feeFixed * 1000) / (1000 - feePermille))) / minor;
}

function inWords(amount) {
  return new Intl.NumberFormat(form.dataset.locale, {
    style: "currency",
    currency: form.dataset.currency,
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
  }).format(amount);
}

// Another currency keeps what was chosen; an own amount means something else in it.
for (const link of form?.querySelectorAll(".currencies a") ?? []) {
  link.addEventListener("click", () => {
    const place = new URL(link.href);
    for (const name of ["rhythm", "cups"]) place.searchParams.set(name, form.elements.namedItem(name).value);
    link.href = place.href;
  });
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
    const gift = own.checked ? read(field.value) : null;
    const amount = gift && form.elements.namedItem("covers_fees")?.checked ? withFee(gift) : gift;
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
