// The sign-in page: password, second factor, passkey alone, identity providers; then one's own second factors and
// identities.
import { Refused, get, graphql, post } from './api.js';
import { canUsePasskeys, makePasskey, usePasskey } from './passkey.js';
import { qrSvg } from './qr.js';

const $ = (id) => document.getElementById(id);
const STEPS = ['password-step', 'factor-step', 'account-step'];

/** What to do with a second factor: set while one is asked for. */
let asked = null;

function show(step) {
  STEPS.forEach((id) => { $(id).hidden = id !== step; });
  $('account').hidden = step !== 'account-step';
  document.title = step === 'account-step' ? 'Your second factors' : 'Sign in';
  $(step).querySelector('input:not([type=hidden])')?.focus();
}

const fail = (message = '') => { $('failure').textContent = message; };

/** Where to go afterwards: an address of this host, or nowhere. */
function destination() {
  const next = new URLSearchParams(location.search).get('next');
  if (!next) return null;
  const url = new URL(next, location.origin);
  return url.origin === location.origin ? url.href : null;
}

/** Runs what a button or form does: once at a time, with its failure shown. */
function on(id, event, action) {
  $(id).addEventListener(event, async (happened) => {
    happened.preventDefault();
    const buttons = [...document.querySelectorAll('button')].filter((button) => !button.disabled);
    buttons.forEach((button) => { button.disabled = true; });
    fail();
    try {
      await action();
    } catch (failure) {
      if (failure.code === 'STEP_UP_REQUIRED') await stepUp(action).catch((error) => fail(error.message));
      else if (failure.name === 'NotAllowedError') fail('No passkey was used.');
      else if (failure.name === 'InvalidStateError') fail('This passkey is registered already.');
      else fail(failure.message);
    } finally {
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}

// Signing in.

async function signedIn(answer) {
  const next = destination();
  if (next && !answer.enrolmentRequired) {
    location.assign(next);
    return;
  }
  await account();
}

async function password() {
  try {
    await signedIn(await post('/auth/session', { email: $('email').value, password: $('password').value }));
  } catch (refused) {
    if (!(refused instanceof Refused) || !refused.body?.mfaRequired) throw refused;
    askFor(refused.body, 'Your password is right. Now show a second factor.');
  } finally {
    $('password').value = '';
  }
}

/** Asks for a second factor that completes a sign-in. */
function askFor({ challenge, methods, passkey }, reason) {
  const answer = async (shown) => signedIn(await post('/auth/second-factor', { challenge, ...shown }));
  ask({ methods, passkey, answer, reason });
}

/** Goes on with a sign-in that began elsewhere: at another provider, or with a mailed link. */
async function handedOver() {
  const challenge = new URLSearchParams(location.hash.slice(1)).get('challenge');
  if (!challenge) return false;
  history.replaceState(null, '', location.pathname + location.search);
  const options = await post('/auth/second-factor/options', { challenge });
  askFor({ challenge, ...options }, 'One more step: show a second factor.');
  return true;
}

async function passkeyAlone() {
  const options = await post('/auth/passkey/options');
  await signedIn(await post('/auth/passkey', { passkey: await usePasskey(options), cookie: true }));
}

// Identity providers: where the clinic's people sign in instead of here.

const offered = get('/auth/providers').then(({ providers }) => providers, () => []);

function button(text, id, action) {
  const made = document.createElement('button');
  made.type = 'button';
  made.id = id;
  made.textContent = text;
  queueMicrotask(() => on(id, 'click', action));
  return made;
}

async function offerProviders() {
  const elsewhere = await offered;
  $('providers').replaceChildren(...elsewhere.map(({ id, name }) => button(`Continue with ${name}`, `sign-in-${id}`, async () => {
    const next = destination();
    const { pathname, search } = next ? new URL(next) : location;
    location.assign(`/auth/oidc/start?${new URLSearchParams({ provider: id, returnTo: pathname + search })}`);
  })));
}

// Showing a second factor.

function ask(what) {
  asked = what;
  $('factor-reason').textContent = what.reason;
  $('factor-passkey').hidden = !what.passkey || !canUsePasskeys;
  $('factor-totp').hidden = !what.methods.includes('TOTP');
  $('factor-recovery').hidden = !what.methods.includes('RECOVERY_CODE');
  $('factor-recovery').open = false;
  for (const id of ['totp', 'recovery']) $(id).value = '';
  show('factor-step');
}

/** Asks for a second factor once more, then does what needed it. */
async function stepUp(then) {
  const { methods, passkey } = await post('/auth/step-up/options');
  if (methods.length === 0) {
    await signOut();
    fail('Please sign in again: this has to be done soon after signing in.');
    return;
  }
  const answer = async (shown) => {
    await post('/auth/step-up', shown);
    await account();
    await then?.();
  };
  ask({ methods, passkey, answer, reason: 'To go on, show a second factor once more.' });
}

// Second factors of one's own.

const FACTORS = '{ viewer { externalIdentities { providerId providerName linkedAt lastUsedAt } secondFactors { required totpConfirmedAt recoveryCodesLeft passkeys { id name synced createdAt lastUsedAt clonedAt } } } }';
const day = (instant) => new Date(instant).toLocaleDateString();

async function account() {
  const identity = await get('/auth/whoami');
  $('name').textContent = identity.displayName;
  if (identity.secondFactorRequired) {
    const { methods } = await post('/auth/step-up/options');
    if (methods.length > 0) {
      await stepUp(null);
      return;
    }
  }
  $('must-enrol').hidden = !identity.secondFactorRequired;
  const { secondFactors: factors, externalIdentities } = identity.secondFactorRequired
    ? { secondFactors: { passkeys: [], totpConfirmedAt: null, recoveryCodesLeft: 0 }, externalIdentities: [] }
    : (await graphql(FACTORS)).viewer;
  const any = factors.passkeys.length > 0 || factors.totpConfirmedAt !== null;
  $('passkeys').replaceChildren(...factors.passkeys.map(passkeyRow));
  $('passkey-form').hidden = !canUsePasskeys;
  $('totp-state').textContent = factors.totpConfirmedAt ? `Set up on ${day(factors.totpConfirmedAt)}.` : 'None.';
  $('totp-remove').hidden = !factors.totpConfirmedAt;
  $('totp-add').hidden = Boolean(factors.totpConfirmedAt);
  $('totp-form').hidden = true;
  $('codes-section').hidden = !any;
  $('codes-left').textContent = `${factors.recoveryCodesLeft} left.`;
  const others = (await offered).filter(({ id }) => externalIdentities.every((known) => known.providerId !== id));
  $('identities').replaceChildren(
    ...externalIdentities.map((known) => linkedRow(known, any)),
    ...others.map((provider) => unlinkedRow(provider, any)),
  );
  $('identities-section').hidden = identity.secondFactorRequired || $('identities').children.length === 0;
  $('identities-hint').hidden = any;
  const next = destination();
  $('next').hidden = !next || identity.secondFactorRequired;
  if (next) $('next').href = next;
  show('account-step');
}

function row(text, ...buttons) {
  const item = document.createElement('li');
  const what = document.createElement('span');
  what.className = 'what';
  what.textContent = text;
  item.append(what, ...buttons);
  return item;
}

const usage = (instant) => (instant ? `last used on ${day(instant)}` : 'never used');

function passkeyRow({ id, name, createdAt, lastUsedAt, clonedAt }) {
  let text = `${name}: since ${day(createdAt)}, ${usage(lastUsedAt)}`;
  if (clonedAt) text += '. Shut off, because there seems to be a copy of it';
  const rename = button('Rename', `rename-${id}`, async () => {
    const other = prompt('Name of the passkey', name);
    if (other === null) return;
    await graphql('mutation($input: PasskeyRenameInput!) { passkeyRename(input: $input) { userErrors { code message } } }', { input: { id, name: other } });
    await account();
  });
  const remove = button('Remove', `remove-${id}`, async () => {
    await graphql('mutation($input: PasskeyRemoveInput!) { passkeyRemove(input: $input) { userErrors { code message } } }', { input: { id } });
    await account();
  });
  return row(text, rename, remove);
}

function linkedRow({ providerId, providerName, linkedAt, lastUsedAt }, may) {
  const unlink = button('Unlink', `unlink-${providerId}`, async () => {
    await graphql('mutation($input: ExternalIdentityUnlinkInput!) { externalIdentityUnlink(input: $input) { userErrors { code message } } }', { input: { providerId } });
    await account();
  });
  unlink.hidden = !may;
  return row(`${providerName}: since ${day(linkedAt)}, ${usage(lastUsedAt)}`, unlink);
}

function unlinkedRow({ id, name }, may) {
  const link = button('Link', `link-${id}`, async () => {
    const { url } = await post('/auth/oidc/link', { provider: id, returnTo: location.pathname + location.search });
    location.assign(url);
  });
  link.hidden = !may;
  return row(`${name}: not linked`, link);
}

function tell(codes) {
  if (codes.length === 0) return;
  $('code-list').replaceChildren(...codes.map((code) => {
    const item = document.createElement('li');
    item.textContent = code;
    return item;
  }));
  $('codes').hidden = false;
  $('codes').scrollIntoView({ block: 'nearest' });
}

async function addPasskey() {
  const { passkeyRegisterStart } = await graphql('mutation { passkeyRegisterStart { options userErrors { code message } } }');
  const credential = await makePasskey(passkeyRegisterStart.options);
  const input = { name: $('passkey-name').value, credential };
  const { passkeyRegisterFinish } = await graphql('mutation($input: PasskeyRegisterFinishInput!) { passkeyRegisterFinish(input: $input) { recoveryCodes userErrors { code message } } }', { input });
  $('passkey-name').value = '';
  await account();
  tell(passkeyRegisterFinish.recoveryCodes);
}

async function addTotp() {
  const { totpEnrol } = await graphql('mutation { totpEnrol { uri secret userErrors { code message } } }');
  $('totp-qr').replaceChildren(qrSvg(totpEnrol.uri) ?? '');
  $('totp-secret').textContent = totpEnrol.secret.replace(/(.{4})(?=.)/g, '$1 ');
  $('totp-add').hidden = true;
  $('totp-form').hidden = false;
  $('totp-first').focus();
}

async function confirmTotp() {
  const input = { code: $('totp-first').value };
  const { totpConfirm } = await graphql('mutation($input: TotpConfirmInput!) { totpConfirm(input: $input) { recoveryCodes userErrors { code message } } }', { input });
  for (const id of ['totp-qr', 'totp-secret']) $(id).replaceChildren();
  $('totp-first').value = '';
  await account();
  tell(totpConfirm.recoveryCodes);
}

async function signOut() {
  await post('/auth/logout').catch(() => null);
  $('codes').hidden = true;
  $('code-list').replaceChildren();
  show('password-step');
}

on('password-step', 'submit', password);
on('passkey-alone', 'click', passkeyAlone);
on('factor-passkey', 'click', async () => asked.answer({ passkey: await usePasskey(asked.passkey) }));
on('factor-totp', 'submit', () => asked.answer({ totp: $('totp').value }));
on('recovery-form', 'submit', () => asked.answer({ recoveryCode: $('recovery').value }));
on('factor-cancel', 'click', async () => start());
on('passkey-form', 'submit', addPasskey);
on('totp-add', 'click', addTotp);
on('totp-form', 'submit', confirmTotp);
on('totp-remove', 'click', async () => {
  await graphql('mutation { totpRemove { userErrors { code message } } }');
  await account();
});
on('codes-renew', 'click', async () => {
  const { recoveryCodesRenew } = await graphql('mutation { recoveryCodesRenew { recoveryCodes userErrors { code message } } }');
  await account();
  tell(recoveryCodesRenew.recoveryCodes);
});
on('codes-kept', 'click', async () => {
  $('codes').hidden = true;
  $('code-list').replaceChildren();
});
on('sign-out', 'click', signOut);

async function start() {
  asked = null;
  // Whoever is signed in already sees their factors.
  try {
    if (await handedOver()) return;
    await account();
  } catch {
    show('password-step');
  }
}

$('host').textContent = location.host;
$('passkey-alone').hidden = !canUsePasskeys;
offerProviders();
start();
