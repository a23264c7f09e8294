// Sends an operation from GraphiQL to the server as the one who is signed in.
import { authorization } from './session.js';

/** A GraphiQL fetcher; calls `onExpired` when the server no longer accepts the session. */
export function createFetcher(session, onExpired) {
  return async ({ query, variables, operationName }, { headers } = {}) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json',
        'Content-Type': 'application/json',
        ...(await authorization()),
        ...headers,
      },
      body: JSON.stringify({ query, variables, operationName }),
    });
    if (response.status === 401 && session) onExpired();
    return response.json();
  };
}
