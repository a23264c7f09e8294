// The session: tokens kept for as long as this browser tab lives, never longer.
const KEY = 'praxis.session';
/** Tokens that end within this many milliseconds are renewed before they are used. */
const EARLY = 30_000;

const bearer = (session) => ({ Authorization: `Bearer ${session.accessToken}` });

/** The session of this tab, unless it has expired. */
export function currentSession() {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY));
    if (session && Date.parse(session.sessionExpiresAt) > Date.now()) return session;
  } catch {
    // An unreadable entry is no session.
  }
  sessionStorage.removeItem(KEY);
  return null;
}

function keep(email, { accessToken, expiresAt, refreshToken, sessionExpiresAt }) {
  const session = { email, accessToken, expiresAt, refreshToken, sessionExpiresAt };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

let renewing = null;

/** The session with a token that is good for a while. */
async function fresh() {
  const session = currentSession();
  if (!session || Date.parse(session.expiresAt) - Date.now() > EARLY) return session;
  // A refresh token works once, so whoever needs one waits for the same renewal.
  renewing ??= renew(session).finally(() => {
    renewing = null;
  });
  return renewing;
}

async function renew(session) {
  const response = await fetch('/auth/refresh', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
    body: JSON.stringify({ refreshToken: session.refreshToken }),
  }).catch(() => null);
  // When it fails, the request that follows learns that the session is over.
  return response?.ok ? keep(session.email, await response.json()) : session;
}

/** Signs in; throws an Error whose message can be shown. */
export async function startSession(email, password) {
  const response = await fetch('/auth/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ email, password }),
  }).catch(() => {
    throw new Error('The server cannot be reached.');
  });
  const body = await response.json().catch(() => null);
  if (!response.ok || !body?.accessToken) throw new Error(failureMessage(response, body));
  return keep(email, body);
}

/** Who the session belongs to, or null when the server no longer accepts it. */
export async function whoami() {
  const headers = { Accept: 'application/json', ...(await authorization()) };
  const response = await fetch('/auth/whoami', { headers });
  if (response.status === 401) return null;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

/** Signs out and removes everything the tab has stored: tokens, history, open queries. */
export async function endSession() {
  await fetch('/auth/logout', { method: 'POST', headers: await authorization() }).catch(() => {});
  sessionStorage.clear();
}

/** Removes the tokens only, so that the open queries survive signing in again. */
export function forgetSession() {
  sessionStorage.removeItem(KEY);
}

/** The headers that identify the caller, none without a session. */
export async function authorization() {
  const session = await fresh();
  return session ? bearer(session) : {};
}

function failureMessage(response, body) {
  const said = body?.errors?.[0]?.message;
  if (said) return said;
  return response.status === 401
    ? 'The e-mail address or the password is wrong.'
    : `Signing in failed (HTTP ${response.status}).`;
}
