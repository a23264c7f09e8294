// The session: an access token kept for as long as this browser tab lives, never longer.
const KEY = 'praxis.session';

const bearer = (session) => ({ Authorization: `Bearer ${session.accessToken}` });

/** The session of this tab, unless it has expired. */
export function currentSession() {
  try {
    const session = JSON.parse(sessionStorage.getItem(KEY));
    if (session && Date.parse(session.expiresAt) > Date.now()) return session;
  } catch {
    // An unreadable entry is no session.
  }
  sessionStorage.removeItem(KEY);
  return null;
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
  const session = { email, accessToken: body.accessToken, expiresAt: body.expiresAt };
  sessionStorage.setItem(KEY, JSON.stringify(session));
  return session;
}

/** Who the session belongs to, or null when the server no longer accepts it. */
export async function whoami(session) {
  const response = await fetch('/auth/whoami', { headers: { Accept: 'application/json', ...bearer(session) } });
  if (response.status === 401) return null;
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

/** Signs out and removes everything the tab has stored: token, history, open queries. */
export async function endSession(session) {
  await fetch('/auth/logout', { method: 'POST', headers: bearer(session) }).catch(() => {});
  sessionStorage.clear();
}

/** Removes the token only, so that the open queries survive signing in again. */
export function forgetSession() {
  sessionStorage.removeItem(KEY);
}

/** The headers that identify the caller, none without a session. */
export function authorization(session) {
  return session ? bearer(session) : {};
}

function failureMessage(response, body) {
  const said = body?.errors?.[0]?.message;
  if (said) return said;
  return response.status === 401
    ? 'The e-mail address or the password is wrong.'
    : `Signing in failed (HTTP ${response.status}).`;
}
