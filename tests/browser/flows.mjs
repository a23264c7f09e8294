// What people do on the sign-in page, in a headless Chromium with a virtual authenticator.
//
// Started by tests/it/browser.rs, which says where the server is and who signs in, and moves the
// server's clock: a line `advance <seconds>` on standard output is answered by a line on standard
// input.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const { BASE, CHROMIUM, EMAIL, REQUIRED_EMAIL, PASSWORD, INVITATION, SCREENSHOTS } = process.env;
if (SCREENSHOTS) mkdirSync(SCREENSHOTS, { recursive: true });

const replies = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
let ahead = 0;
async function advance(seconds) {
  console.log(`advance ${seconds}`);
  await replies.next();
  ahead += seconds;
}

/** The code that an authenticator app shows, some steps from now. */
function totp(secret, steps = 0) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(' ', '')].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor((Date.now() / 1000 + ahead) / 30) + steps));
  const digest = createHmac('sha1', key).update(step).digest();
  const word = digest.readUInt32BE(digest[19] & 15) & 0x7fffffff;
  return String(word % 1_000_000).padStart(6, '0');
}

const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const troubles = [];

/** A browser of its own for one person, with an authenticator plugged in. */
async function person() {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => {
    // The browser reports each refusal of the server too; those are looked at below.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) troubles.push(message.text());
  });
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await page.goto(`${BASE}/sign-in`);
  return { context, page, devtools, authenticatorId };
}

const shot = async (page, name) => {
  if (SCREENSHOTS) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true });
};
const signIn = async (page, email, password = PASSWORD) => {
  await page.fill('#email', email);
  await page.fill('#password', password);
  await page.click('#password-step button[type=submit]');
};
const inside = (page) => page.waitForSelector('#account-step:not([hidden])');
const asked = (page) => page.waitForSelector('#factor-step:not([hidden])');
const signOut = async (page) => {
  await page.click('#sign-out');
  await page.waitForSelector('#password-step:not([hidden])');
};
const failure = (page) => page.waitForFunction(() => document.getElementById('failure').textContent);

async function story(name, run) {
  const began = Date.now();
  await run();
  assert.deepEqual(troubles, [], name);
  console.log(`ok ${name} (${Date.now() - began} ms)`);
}

const { context, page, devtools, authenticatorId } = await person();
let secret;
let codes;

await story('a password is enough for whoever has no second factor', async () => {
  await page.waitForSelector('#password-step:not([hidden])');
  await shot(page, '1-sign-in');
  await signIn(page, EMAIL, 'not the password');
  await failure(page);
  await signIn(page, EMAIL);
  await inside(page);
  const cookie = (await context.cookies()).find(({ name }) => name === '__Host-praxis');
  assert.ok(cookie?.httpOnly && cookie.secure, 'the session is in a cookie that no script reads');
});

await story('an authenticator app is set up, and gives recovery codes', async () => {
  await page.click('#totp-add');
  await page.waitForSelector('#totp-qr svg');
  await shot(page, '2-authenticator-app');
  secret = await page.textContent('#totp-secret');
  await page.fill('#totp-first', '000000');
  await page.click('#totp-form button[type=submit]');
  await failure(page);
  await page.fill('#totp-first', totp(secret));
  await page.click('#totp-form button[type=submit]');
  await page.waitForSelector('#codes:not([hidden])');
  codes = await page.locator('#code-list li').allTextContents();
  assert.equal(codes.length, 10);
  await shot(page, '3-recovery-codes');
  await page.click('#codes-kept');
});

await story('a passkey is made', async () => {
  await page.fill('#passkey-name', 'Laptop');
  await page.click('#passkey-form button[type=submit]');
  await page.waitForSelector('#passkeys li');
  assert.match(await page.textContent('#passkeys'), /Laptop/);
  const { credentials } = await devtools.send('WebAuthn.getCredentials', { authenticatorId });
  assert.equal(credentials.length, 1);
  assert.ok(credentials[0].isResidentCredential);
  assert.equal(credentials[0].rpId, new URL(BASE).hostname);
  await shot(page, '4-second-factors');
});

await story('the same authenticator makes no second one', async () => {
  await page.fill('#passkey-name', 'Again');
  await page.click('#passkey-form button[type=submit]');
  await failure(page);
  assert.match(await page.textContent('#failure'), /already/);
});

await story('after the password a passkey is asked for, and lets in', async () => {
  await signOut(page);
  await signIn(page, EMAIL);
  await asked(page);
  await shot(page, '5-second-factor');
  await page.click('#factor-passkey');
  await inside(page);
});

await story('so does a code of the app, once', async () => {
  const code = totp(secret, 1);
  for (const right of [true, false]) {
    await signOut(page);
    await signIn(page, EMAIL);
    await asked(page);
    await page.fill('#totp', code);
    await page.click('#factor-totp button[type=submit]');
    if (right) await inside(page);
    else {
      await failure(page);
      await shot(page, '6-used-code');
      await page.click('#factor-cancel');
      await page.waitForSelector('#password-step:not([hidden])');
      await signIn(page, EMAIL);
      await asked(page);
    }
  }
});

await story('and a recovery code, for whoever lost both', async () => {
  await page.click('#factor-recovery summary');
  await page.fill('#recovery', codes[0]);
  await page.click('#recovery-form button[type=submit]');
  await inside(page);
  assert.match(await page.textContent('#codes-left'), /9 left/);
});

await story('a passkey alone signs in, because it verifies its holder', async () => {
  await signOut(page);
  await page.click('#passkey-alone');
  await inside(page);
  await signOut(page);
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
  await page.click('#passkey-alone');
  await failure(page);
  await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true });
  await page.click('#passkey-alone');
  await inside(page);
});

await story('what is sensitive asks for a second factor once more after five minutes', async () => {
  await advance(301);
  await page.click('#codes-renew');
  await asked(page);
  await shot(page, '7-step-up');
  await page.click('#factor-passkey');
  await page.waitForSelector('#codes:not([hidden])');
  assert.equal(await page.locator('#code-list li').count(), 10);
  await page.click('#codes-kept');
  await page.click('#passkeys button:has-text("Remove")');
  await page.waitForSelector('#passkeys li', { state: 'detached' });
});

await story('whose role asks for a second factor enrols one before anything else', async () => {
  const { page: second } = await person();
  await second.goto(`${BASE}/sign-in?next=/auth/whoami`);
  await signIn(second, REQUIRED_EMAIL);
  await second.waitForSelector('#must-enrol:not([hidden])');
  assert.ok(await second.isHidden('#next'));
  await shot(second, '8-enrolment');
  await second.fill('#passkey-name', 'Ward');
  await second.click('#passkey-form button[type=submit]');
  await second.waitForSelector('#passkeys li');
  assert.ok(await second.isHidden('#must-enrol'));
  await second.click('#codes-kept');
  await shot(second, '9-enrolled');
  await second.click('#next');
  await second.waitForURL(/whoami/);
});

await story('a sign-in that began elsewhere goes on here', async () => {
  const { page: fourth } = await person();
  const asked401 = await fourth.evaluate(async (body) => {
    const headers = { 'Content-Type': 'application/json' };
    return (await fetch('/auth/session', { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }, { email: EMAIL, password: PASSWORD });
  await fourth.goto(`${BASE}/sign-in?next=/auth/whoami#challenge=${asked401.challenge}`);
  await asked(fourth);
  assert.equal(new URL(fourth.url()).hash, '', 'the challenge does not stay in the address');
  await fourth.fill('#totp', totp(secret, 1));
  await fourth.click('#factor-totp button[type=submit]');
  await fourth.waitForURL(/whoami/);
});

await story('whoever is invited joins with who they are at a provider, and sees to it later', async () => {
  const { page: fifth } = await person();
  await fifth.goto(`${BASE}/auth/invitation#${INVITATION}`);
  await fifth.waitForSelector('#elsewhere:not([hidden])');
  await shot(fifth, '10-invitation');
  await fifth.click('text=Continue with Hospital');
  await inside(fifth);
  await fifth.waitForSelector('#identities >> text=Hospital: since');
  assert.ok(await fifth.isHidden('#identities button'), 'without a second factor nothing of it changes');
  await signOut(fifth);
  await fifth.click('#providers >> text=Continue with Hospital');
  await inside(fifth);
  await fifth.fill('#passkey-name', 'Desk');
  await fifth.click('#passkey-form button[type=submit]');
  await fifth.click('#codes-kept');
  // What a server remembers of a session is a second old.
  await fifth.waitForTimeout(1_200);
  await shot(fifth, '11-linked');
  await fifth.click('#identities button');
  await fifth.waitForSelector('#identities >> text=Hospital: not linked');
  await fifth.click('#identities button');
  await fifth.waitForSelector('#identities >> text=Hospital: since');
  await shot(fifth, '12-linked-again');
});

await story('the page leads to no other host', async () => {
  const { page: third } = await person();
  for (const evil of ['https://evil.example/', '//evil.example/', '/%2F/evil.example', 'javascript:alert(1)']) {
    await third.goto(`${BASE}/sign-in?next=${encodeURIComponent(evil)}`);
    await third.click('#passkey-alone').catch(() => {});
    assert.equal(new URL(third.url()).host, new URL(BASE).host, evil);
  }
});

await browser.close();
console.log('done');
process.exit(0);
