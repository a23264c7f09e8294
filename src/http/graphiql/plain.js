// The plain explorer: sign in, send one operation, show the answer.
// The session entry has the same form as that of the built page, so either can follow the other.
const KEY = 'praxis.session';
const element = (id) => document.getElementById(id);
/** Tokens that end within this many milliseconds are renewed before they are used. */
const EARLY = 30_000;

let session = restore();
let renewing = null;

function restore() {
  try {
    const stored = JSON.parse(sessionStorage.getItem(KEY));
    if (stored && Date.parse(stored.sessionExpiresAt) > Date.now()) return stored;
  } catch {
    // An unreadable entry is no session.
  }
  sessionStorage.removeItem(KEY);
  return null;
}

function keep(email, { accessToken, expiresAt, refreshToken, sessionExpiresAt }) {
  session = { email, accessToken, expiresAt, refreshToken, sessionExpiresAt };
  sessionStorage.setItem(KEY, JSON.stringify(session));
}

/** The headers that identify the caller, none without a session. */
async function bearer() {
  if (session && Date.parse(session.expiresAt) - Date.now() <= EARLY) {
    // A refresh token works once, so whoever needs one waits for the same renewal.
    renewing ??= renew().finally(() => {
      renewing = null;
    });
    await renewing;
  }
  return session ? { Authorization: `Bearer ${session.accessToken}` } : {};
}

async function renew() {
  const { email, refreshToken } = session;
  const response = await fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ refreshToken }),
  }).catch(() => null);
  // When it fails, the request that follows learns that the session is over.
  if (response?.ok) keep(email, await response.json());
}

function show(failure = '') {
  element('sign-in').hidden = session !== null;
  element('account').hidden = session === null;
  element('name').textContent = session?.email ?? '';
  element('failure').textContent = failure;
  if (session) identify();
  else element('tenant').textContent = '';
}

function expire() {
  session = null;
  sessionStorage.removeItem(KEY);
  show('Your session has ended. Please sign in again.');
}

async function identify() {
  const response = await fetch('/auth/whoami', { headers: await bearer() }).catch(() => null);
  if (response?.status === 401) return expire();
  const identity = response?.ok ? await response.json().catch(() => null) : null;
  if (!identity || !session) return undefined;
  element('name').textContent = identity.displayName ?? session.email;
  element('tenant').textContent = identity.tenant ?? '';
  return undefined;
}

async function signIn(email, password) {
  const response = await fetch('/auth/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ email, password }),
  }).catch(() => null);
  if (!response) return show('The server cannot be reached.');
  const body = await response.json().catch(() => null);
  if (!response.ok || !body?.accessToken) {
    const wrong = response.status === 401 && 'The e-mail address or the password is wrong.';
    return show(body?.errors?.[0]?.message || wrong || `Signing in failed (HTTP ${response.status}).`);
  }
  keep(email, body);
  element('password').value = '';
  return show();
}

async function run(query, variables) {
  const answer = element('answer');
  answer.textContent = '…';
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json',
        'Content-Type': 'application/json',
        ...(await bearer()),
      },
      body: JSON.stringify({ query, variables: JSON.parse(variables || '{}') }),
    });
    answer.textContent = JSON.stringify(await response.json(), null, 2);
    if (response.status === 401 && session) expire();
  } catch (failure) {
    answer.textContent = failure.message;
  }
}

element('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  signIn(element('email').value, element('password').value);
});

element('sign-out').addEventListener('click', async () => {
  await fetch('/auth/logout', { method: 'POST', headers: await bearer() }).catch(() => null);
  sessionStorage.clear();
  // Reloading also drops answers, which may hold patient data.
  location.reload();
});

element('operation').addEventListener('submit', (event) => {
  event.preventDefault();
  run(element('query').value, element('variables').value);
});

element('operation').addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) element('operation').requestSubmit();
});

element('host').textContent = location.host;
show();
