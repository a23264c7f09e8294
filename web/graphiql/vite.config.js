// `npm run build` makes the page that the server embeds and serves under /explorer;
// `npm run dev` serves it from source against the server at PRAXIS_URL.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/explorer/',
  plugins: [react()],
  worker: { format: 'es' },
  build: {
    sourcemap: false,
    // Dependencies compiled with the React compiler carry its directives, which mean nothing to a bundler.
    rolldownOptions: { checks: { moduleLevelDirective: false } },
    // Monaco is one large chunk by nature; it is cached for good after the first visit.
    chunkSizeWarningLimit: 4096,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/graphql', '/auth'].map((path) => [path, process.env.PRAXIS_URL ?? 'http://127.0.0.1:8080']),
    ),
  },
});
