// Drives the explorer in a real browser: a wrong password, the right one, a query, signing out.
// Usage: node e2e.mjs URL EMAIL PASSWORD SCREENSHOT.png
// Exits 1 when a step fails, when the content security policy is violated, or when anything but
// this machine is contacted. Works with the built page and with the plain one.
import { chromium } from 'playwright-core';

const [url, email, password, screenshot] = process.argv.slice(2);
if (!screenshot) {
  console.error('usage: node e2e.mjs URL EMAIL PASSWORD SCREENSHOT.png');
  process.exit(2);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
  ],
});
const problems = [];
const report = (problem) => {
  if (!problems.includes(problem)) problems.push(problem);
};

try {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ignoreHTTPSErrors: true });
  await watch(context);
  const page = await context.newPage();
  await drive(page).catch(async (error) => {
    report(`step failed: ${error.message}`);
    await shoot(page, 'failed');
  });
} catch (error) {
  report(`the browser failed: ${error.message}`);
} finally {
  await browser.close();
}

for (const problem of problems) console.error(`FAIL ${problem}`);
if (problems.length === 0) console.log('PASS');
process.exit(problems.length === 0 ? 0 : 1);

async function watch(context) {
  await context.exposeFunction('reportViolation', (violation) => report(`policy violation: ${violation}`));
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ''}`);
    });
  });
  context.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    const local = /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname);
    if (/^(https?|wss?):$/.test(protocol) && !local) report(`request leaves this machine: ${request.url()}`);
  });
  context.on('response', (response) => {
    if (response.status() === 404) report(`not found: ${response.url()}`);
  });
  // Workers report here only, not through the page's events.
  context.on('console', (message) => {
    if (message.type() === 'error' && !/status of 40[13]/.test(message.text())) report(`console: ${message.text()}`);
  });
  context.on('weberror', (error) => report(`uncaught: ${error.error().message}`));
}

async function drive(page) {
  await page.goto(url);
  const signIn = page.getByRole('button', { name: 'Sign in', exact: true });
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(`${password}-wrong`);
  await signIn.click();
  await page.getByRole('alert').filter({ hasText: /\S/ }).first().waitFor();
  await shoot(page, 'signed-out');

  await page.locator('input[name=password]').fill(password);
  await signIn.click();
  await page.getByTestId('signed-in-as').waitFor();
  console.log(await page.getByTestId('signed-in-as').innerText());

  const plain = (await page.getByTestId('result').count()) > 0;
  const run = page.getByRole('button', { name: plain ? 'Run' : /^Execute query/ });
  if (!plain) await explore(page);
  const [response] = await Promise.all([
    page.waitForResponse((found) => found.url().endsWith('/graphql') && !found.request().postData()?.includes('__schema')),
    run.click(),
  ]);
  const answer = await response.json();
  if (!answer.data || answer.errors) report(`query failed: HTTP ${response.status()} ${JSON.stringify(answer.errors)}`);
  const result = plain ? page.getByTestId('result') : page.locator('.graphiql-response .view-lines');
  await result.filter({ hasText: 'viewer' }).waitFor();
  await page.screenshot({ path: screenshot });

  await page.getByRole('button', { name: 'Sign out' }).click();
  await signIn.waitFor();
  const kept = await page.evaluate(() => JSON.stringify(Object.entries(sessionStorage)));
  if (/accessToken|displayName":"/.test(kept)) report('signing out left data behind');
}

/** The parts only GraphiQL has: completion, documentation, history. */
async function explore(page) {
  await page.getByRole('button', { name: /Documentation Explorer/ }).click();
  await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).first().click();
  await page.locator('.graphiql-doc-explorer').getByText('patients').first().waitFor();
  await shoot(page, 'documentation');
  await page.getByRole('button', { name: /History/ }).click();
  await page.locator('.graphiql-history').waitFor();
  await page.locator('.graphiql-query-editor .view-lines').first().click();
  for (const key of ['Control+Home', 'ArrowDown', 'End']) await page.keyboard.press(key);
  await page.keyboard.press('Control+Space');
  await page.locator('.suggest-widget.visible').filter({ hasText: 'viewer' }).waitFor();
  await shoot(page, 'completion');
  await page.keyboard.press('Escape');
}

async function shoot(page, step) {
  await page.screenshot({ path: screenshot.replace(/(\.png)?$/, `-${step}.png`) });
}
