// What a mailed link leads to. The secret stands behind the `#`: it is taken from there, kept out of the
// history, and sent only when the person says so.
"use strict";

const secret = location.hash.slice(1);
history.replaceState(null, "", location.pathname);

const ASK = { field: "email", type: "email", label: "E-mail address", autocomplete: "username", button: "Send me a link", done: "If this address is known here, a mail is on its way." };
const CHOOSE = { field: "password", type: "password", label: "New password, 15 characters or more", autocomplete: "new-password", button: "Save" };

const PAGES = {
  "/auth/invitation": { title: "Join", to: "/auth/invitation", ...CHOOSE, done: "Welcome. You can sign in now.", needs: true, elsewhere: "/auth/oidc/invitation" },
  "/auth/password-reset": secret
    ? { title: "Choose a new password", to: "/auth/password-reset/confirm", ...CHOOSE, done: "Your new password is set. You can sign in with it now." }
    : { title: "Ask for a new password", to: "/auth/password-reset", ...ASK },
  "/auth/magic-link": secret
    ? { title: "Sign in", to: "/auth/magic-link/confirm", button: "Sign in", done: "You are signed in." }
    : { title: "Sign in without a password", to: "/auth/magic-link", ...ASK },
};

const page = PAGES[location.pathname];
const form = document.querySelector("form");
const label = form.querySelector("label");
const input = form.querySelector("input");
const button = form.querySelector("button");
const elsewhere = document.getElementById("elsewhere");
const say = (text) => { document.querySelector("[role=status]").textContent = text; };

document.querySelector("h1").textContent = page.title;
if (page.needs && !secret) {
  say("Open the link from the mail as it stands there.");
} else {
  button.textContent = page.button;
  if (page.field) {
    label.querySelector("span").textContent = page.label;
    input.type = page.type;
    input.autocomplete = page.autocomplete;
  } else {
    label.remove();
  }
  form.hidden = false;
}

// Sends what is asked for and hands out the answer; says why there is none.
async function send(to, body) {
  const buttons = [...document.querySelectorAll("button")];
  buttons.forEach((one) => { one.disabled = true; });
  try {
    const answer = await fetch(to, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const told = answer.status === 204 ? {} : await answer.json();
    if (answer.ok) return told;
    say(told.errors?.[0]?.message ?? "That did not work.");
  } catch {
    say("The clinic can't be reached at the moment.");
  }
  buttons.forEach((one) => { one.disabled = false; });
  return null;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = secret ? { token: secret } : {};
  if (page.field) body[page.field] = input.value;
  const told = await send(page.to, body);
  if (!told) return;
  form.hidden = true;
  elsewhere.hidden = true;
  say(told.challenge ? "Show your second factor to go on." : page.done);
});

// The clinic's identity providers, beside the password.
async function offer() {
  const answer = await fetch("/auth/providers");
  const { providers } = await answer.json();
  for (const { id, name } of providers ?? []) {
    const one = document.createElement("button");
    one.type = "button";
    one.textContent = `Continue with ${name}`;
    one.addEventListener("click", async () => {
      const told = await send(page.elsewhere, { token: secret, provider: id, returnTo: "/sign-in" });
      if (told) location.assign(told.url);
    });
    elsewhere.append(one);
    elsewhere.hidden = false;
  }
}

if (page.elsewhere && secret) offer().catch(() => {});
