// The page: session bar on top, sign-in panel while nobody is signed in, GraphiQL beside it.
import { GraphiQL } from 'graphiql';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { createFetcher } from './fetcher.js';
import { currentSession, endSession, forgetSession, whoami } from './session.js';
import { SessionBar } from './SessionBar.jsx';
import { SignIn } from './SignIn.jsx';

const DEFAULT_QUERY = `# Sign in, then press Ctrl-Enter.
{
  viewer {
    displayName
    roles
  }
  patients(first: 5) {
    nodes {
      id
      mrn
      name {
        full
      }
    }
  }
}
`;

export function App() {
  const [session, setSession] = useState(currentSession);
  const [identity, setIdentity] = useState(null);
  const [notice, setNotice] = useState('');

  const expire = useCallback(() => {
    forgetSession();
    setSession(null);
    setIdentity(null);
    setNotice('Your session has ended. Please sign in again.');
  }, []);

  // A new fetcher makes GraphiQL load the schema again, as the one who is now signed in.
  const fetcher = useMemo(() => createFetcher(session, expire), [session, expire]);

  useEffect(() => {
    if (!session) return undefined;
    let current = true;
    whoami()
      .then((found) => current && (found ? setIdentity(found) : expire()))
      .catch(() => current && setIdentity({}));
    return () => {
      current = false;
    };
  }, [session, expire]);

  // Reloading also drops answers, which may hold patient data, from memory.
  const signOut = async () => {
    await endSession();
    location.reload();
  };

  return (
    <>
      <SessionBar session={session} identity={identity} onSignOut={signOut} />
      <main>
        {!session && (
          <SignIn
            notice={notice}
            onSignedIn={(started) => {
              setNotice('');
              setSession(started);
            }}
          />
        )}
        <section className="explorer" aria-label="GraphQL explorer">
          <GraphiQL fetcher={fetcher} defaultQuery={DEFAULT_QUERY} storage={sessionStorage}>
            <GraphiQL.Logo>GraphiQL</GraphiQL.Logo>
          </GraphiQL>
        </section>
      </main>
    </>
  );
}
