// The sign-in panel.
import { useState } from 'react';
import { startSession } from './session.js';

export function SignIn({ notice, onSignedIn }) {
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);

  const submit = async (event) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    setBusy(true);
    setError('');
    try {
      onSignedIn(await startSession(fields.get('email'), fields.get('password')));
    } catch (failure) {
      setError(failure.message);
      setBusy(false);
    }
  };

  return (
    <aside className="sign-in" aria-labelledby="sign-in-title">
      <form onSubmit={submit}>
        <h1 id="sign-in-title">Sign in</h1>
        <p>{notice || `Use your staff account at ${location.host}.`}</p>
        <label htmlFor="email">E-mail</label>
        <input id="email" name="email" type="email" autoComplete="username" required autoFocus />
        <label htmlFor="password">Password</label>
        <input id="password" name="password" type="password" autoComplete="current-password" required />
        <p className="error" role="alert">
          {error}
        </p>
        <button type="submit" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </aside>
  );
}
