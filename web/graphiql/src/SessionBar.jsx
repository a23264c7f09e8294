// The bar on top: which tenant this is, and who is signed in.
export function SessionBar({ session, identity, onSignOut }) {
  return (
    <header className="bar">
      <span className="brand">Praxis</span>
      <span className="tenant" data-testid="tenant">
        {identity?.tenant && <strong>{identity.tenant}</strong>}
        <span className="host">{location.host}</span>
      </span>
      {session ? (
        <span className="account">
          <span data-testid="signed-in-as">
            Signed in as <strong>{identity?.displayName ?? session.email}</strong>
          </span>
          <button type="button" onClick={onSignOut}>
            Sign out
          </button>
        </span>
      ) : (
        <span className="account">Not signed in</span>
      )}
    </header>
  );
}
