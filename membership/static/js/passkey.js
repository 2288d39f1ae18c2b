// Passkeys: asks the browser for what the page needs, puts the answer into the form, and sends that.

const ASK = {
  create: (options) =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) }),
  get: (options) => navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) }),
};

function say(form, what) {
  for (const words of form.querySelectorAll("[data-trouble]")) words.hidden = words.dataset.trouble !== what;
}

async function answer(form) {
  say(form, null);
  try {
    const credential = await ASK[form.dataset.passkey](JSON.parse(form.dataset.options));
    form.elements.answer.value = JSON.stringify(credential.toJSON());
  } catch (error) {
    // "InvalidStateError": the device has one already. Whatever else: put off, too late, or no device.
    const known = error.name === "InvalidStateError" && form.querySelector("[data-trouble='known']");
    say(form, known ? "known" : "cancelled");
    return;
  }
  form.submit();
}

if (window.PublicKeyCredential?.parseCreationOptionsFromJSON) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (form.reportValidity()) answer(form);
    });
  }
  for (const words of document.querySelectorAll("[data-unsupported]")) words.hidden = true;
}
