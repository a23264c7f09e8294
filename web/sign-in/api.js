// Speaking to the server: the cookie goes along by itself, the header says that this page asks.

/** What the server refused, with its code. */
export class Refused extends Error {
  constructor(message, code, body) {
    super(message);
    this.code = code;
    this.body = body;
  }
}

async function send(path, method, body) {
  const headers = { Accept: 'application/json', 'Praxis-Csrf': '1' };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await fetch(path, request).catch(() => null);
  if (!response) throw new Refused('The server cannot be reached.');
  const answer = response.status === 204 ? {} : await response.json().catch(() => ({}));
  const error = answer.errors?.[0];
  if (!response.ok || error) {
    throw new Refused(error?.message ?? `The server answered ${response.status}.`, error?.extensions?.code, answer);
  }
  return answer;
}

export const post = (path, body) => send(path, 'POST', body);
export const get = (path) => send(path, 'GET');

/** Runs a GraphQL operation; mistakes that a person can put right are told as refusals too. */
export async function graphql(query, variables = {}) {
  const { data } = await send('/graphql', 'POST', { query, variables });
  for (const payload of Object.values(data)) {
    const mistake = payload?.userErrors?.[0];
    if (mistake) throw new Refused(mistake.message, mistake.code);
  }
  return data;
}
